// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { MatrixClient } from '../clients/matrix-client.ts'
import type { PushedTo } from './record/observation.ts'

/** A push gateway that takes everything, outside the server that is killed. */
export interface PushReceiver {
  /** Sets pushers of users; each user has one, whose events are recorded. */
  serve(users: readonly MatrixClient[]): Promise<void>
  /** Resolves when no push came for this time. */
  quiet(ms: number): Promise<void>
  /** Returns the pushes of each user, in the order in which they came. */
  pushes(): PushedTo[]
  close(): Promise<void>
}

/** Starts a push gateway on loopback. */
export async function startPushReceiver(): Promise<PushReceiver> {
  const events = new Map<string, string[]>()
  let lastMs = performance.now()
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      lastMs = performance.now()
      const { notification } = JSON.parse(Buffer.concat(parts).toString()) as {
        notification: { event_id?: string; devices: { pushkey: string }[] }
      }
      const { event_id: id, devices } = notification
      // A push without an event has the badge only.
      if (id !== undefined) for (const { pushkey } of devices) events.get(pushkey)?.push(id)
      response.setHeader('content-type', 'application/json').end('{"rejected":[]}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/_matrix/push/v1/notify`
  return {
    serve: async (users) => {
      for (const [index, user] of users.entries()) {
        events.set(user.userId, [])
        await user.call('POST', '/_matrix/client/v3/pushers/set', {
          app_id: 'org.myelin.crash',
          pushkey: user.userId,
          kind: 'http',
          app_display_name: 'crash',
          device_display_name: 'crash',
          lang: 'en',
          // One gets whole events, another their IDs.
          data: { url, ...(index === 0 ? {} : { format: 'event_id_only' }) },
        })
      }
    },
    quiet: async (ms) => {
      lastMs = performance.now()
      while (performance.now() - lastMs < ms) await delay(50)
    },
    pushes: () => [...events].map(([user, ids]) => ({ user, events: ids })),
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
