// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { SlidingClient } from '../clients/sliding-client.ts'
import type { SlidingDialect, SlidingEntry } from '../clients/sliding-client.ts'
import type { OpenDatabase } from '../databases.ts'
import { testServer } from '../server.ts'
import type { TestServer } from '../server.ts'

const v3 = '/_matrix/client/v3'
/** An account with a device. */
export type Person = Awaited<ReturnType<TestServer['register']>>

/** A room's part of a request as Element X asks it. */
export const OLDER = {
  timeline_limit: 1,
  required_state: [
    ['m.room.name', ''],
    ['m.room.encryption', ''],
    ['m.room.member', '$LAZY'],
    ['m.room.member', '$ME'],
    ['m.room.topic', ''],
    ['m.space.child', '*'],
  ],
}
/** The first 20 rooms. */
export const ALL = { lists: { all: { ranges: [[0, 19]], ...OLDER } } }

/** Starts a server with two users and returns their actions. */
export async function slidingStage(open: OpenDatabase, t: TestContext) {
  const server = await testServer(open)
  t.after(() => server.close())
  const [alice, bob] = [await server.register('alice'), await server.register('bob')]
  const call = async (method: string, path: string, { token }: Person, body?: unknown) => {
    const answer = await server.call(method, `${v3}/${path}`, { token, ...(body === undefined ? {} : { body }) })
    assert.equal(answer.status, 200, `${path}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  let serial = 0
  return {
    server,
    alice,
    bob,
    call,
    room: async (who: Person, body: object = {}) =>
      String((await call('POST', 'createRoom', who, { preset: 'public_chat', ...body }))['room_id']),
    say: async (who: Person, room: string, body = 'hello') =>
      String(
        (
          await call('PUT', `rooms/${encodeURIComponent(room)}/send/m.room.message/${++serial}`, who, {
            msgtype: 'm.text',
            body,
          })
        )['event_id'],
      ),
    move: (who: Person, room: string, way: string, body: object = {}) =>
      call('POST', `rooms/${encodeURIComponent(room)}/${way}`, who, body),
    state: (who: Person, room: string, type: string, content: object, key = '') =>
      call('PUT', `rooms/${encodeURIComponent(room)}/state/${type}/${encodeURIComponent(key)}`, who, content),
    client: (who: Person, dialect: SlidingDialect = 'msc3575', connId = 'main') =>
      new SlidingClient(server, who.token, dialect, connId),
  }
}

/** Returns the types of an entry's required state. */
export function typesOf(entry: SlidingEntry | undefined): string[] {
  return (entry?.required_state ?? []).map(({ type }) => type).toSorted()
}
