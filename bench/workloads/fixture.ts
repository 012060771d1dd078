// SPDX-License-Identifier: Apache-2.0
import type { MatrixClient } from '@myelin/testing/clients/matrix-client'
import { registerUsers } from '@myelin/testing/clients/matrix-client'
import type { Target } from '@myelin/testing/processes/target'

const REGISTRATIONS_AT_ONCE = 4

/** Does something with each, so many at a time; the results are in the order of the items. */
export async function inParallel<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const worker = async () => {
    while (next < items.length) {
      const index = next++
      results[index] = await work(items[index] as T, index)
    }
  }
  await Promise.all(Array.from({ length: width }, worker))
  return results
}

/** Makes accounts, a few at a time: the server hashes a password for each. */
export async function registerMany(target: Target, names: readonly string[]): Promise<MatrixClient[]> {
  const clients = await inParallel(names, REGISTRATIONS_AT_ONCE, (name) =>
    registerUsers(target.url, target.secret, [name]),
  )
  return clients.flat()
}

/** Returns user names that no other run on the same server has. */
export function namesFor(target: Target, workload: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${workload}-${target.run}-${index}`)
}

/** Returns the body of a text message, of 100 bytes by default. */
export function eventBody(text = 'x'.repeat(100)): string {
  return JSON.stringify({ msgtype: 'm.text', body: text })
}

/** Returns the path to which a message is sent. */
export function sendPath(room: string, txn: string): string {
  return `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.message/${txn}`
}

/** Creates a room of the first client and joins all others to it. */
export async function roomWith(clients: readonly MatrixClient[]): Promise<string> {
  const [creator, ...others] = clients
  if (!creator) throw new Error('a room needs somebody')
  const { room_id: room } = await creator.call<{ room_id: string }>('POST', '/_matrix/client/v3/createRoom', {
    preset: 'public_chat',
    name: 'bench',
  })
  for (const client of others)
    await client.call('POST', `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/join`, {})
  return room
}

/** Keeps a client's long poll open; `stop` ends it. */
export function poll(
  client: MatrixClient,
  seen?: (body: string) => void,
): { readonly ready: Promise<void>; stop(): void } {
  const own = client.again()
  const filter = encodeURIComponent('{"room":{"state":{"lazy_load_members":true},"timeline":{"limit":20}}}')
  let isStopped = false
  const ready = (async () => {
    const { next_batch: first } = await own.call<{ next_batch: string }>(
      'GET',
      `/_matrix/client/v3/sync?filter=${filter}`,
    )
    void (async () => {
      for (let since = first; !isStopped; ) {
        const { body } = await own.send('GET', `/_matrix/client/v3/sync?filter=${filter}&timeout=30000&since=${since}`)
        since = /"next_batch":"([^"]+)"/.exec(body)?.[1] ?? since
        seen?.(body)
      }
    })().catch(() => {})
  })()
  return {
    ready,
    stop: () => {
      isStopped = true
      own.close()
    },
  }
}
