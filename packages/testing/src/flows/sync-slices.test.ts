// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { onEveryDatabase } from '../databases.ts'
import { SyncedClient } from '../clients/synced-client.ts'
import { testServer } from '../server.ts'
import type { TestServer } from '../server.ts'

type Person = { readonly userId: string; readonly token: string }
type Step = {
  readonly kind: 'message' | 'name' | 'topic' | 'leave' | 'join' | 'kick' | 'rename' | 'sync'
  readonly who: number
  readonly serial: number
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    'message',
    'message',
    'message',
    'name',
    'topic',
    'leave',
    'join',
    'kick',
    'rename',
    'sync',
    'sync',
  ),
  who: fc.nat(2),
  serial: fc.nat(1000),
})

/** Does a step as its person would; a step the rules refuse is part of life. */
async function take(
  server: TestServer,
  room: string,
  people: readonly Person[],
  { kind, who, serial }: Step,
): Promise<void> {
  const person = people[who]
  const base = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}`
  if (!person) return
  const { token } = person
  const calls: Record<Exclude<Step['kind'], 'sync'>, () => Promise<unknown>> = {
    message: () =>
      server.call('PUT', `${base}/send/m.room.message/${serial}-${Math.trunc(serial / 3)}`, {
        token,
        body: { msgtype: 'm.text', body: `${serial}` },
      }),
    name: () => server.call('PUT', `${base}/state/m.room.name/`, { token, body: { name: `name ${serial}` } }),
    topic: () => server.call('PUT', `${base}/state/m.room.topic/`, { token, body: { topic: `topic ${serial}` } }),
    leave: () => server.call('POST', `${base}/leave`, { token, body: {} }),
    join: () => server.call('POST', `${base}/join`, { token, body: {} }),
    kick: () =>
      server.call('POST', `${base}/kick`, { token, body: { user_id: people[(who + 1) % people.length]?.userId } }),
    rename: () =>
      server.call('PUT', `/_matrix/client/v3/profile/${person.userId}/displayname`, {
        token,
        body: { displayname: `called ${serial}` },
      }),
  }
  if (kind !== 'sync') await calls[kind]()
}

onEveryDatabase('syncing', (open) => {
  for (const stateAfter of [false, true]) {
    const dialect = stateAfter ? 'with state_after' : 'with state'
    test(`in any slices gives a client the same rooms and state as syncing once, ${dialect}`, async () => {
      const server = await testServer(open)
      const watcher = await server.register('watcher')
      let rooms = 0
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 1, maxLength: 30 }),
          fc.constantFrom(1, 3, 50),
          async (steps, limit) => {
            const serial = ++rooms
            const people = [watcher, await server.register(`a${serial}`), await server.register(`b${serial}`)]
            const created = await server.call('POST', '/_matrix/client/v3/createRoom', {
              token: watcher.token,
              body: { preset: 'public_chat' },
            })
            const room = String(created.body['room_id'])
            const sliced = new SyncedClient(server, watcher.token, { limit, stateAfter })
            await sliced.sync()
            for (const one of steps) {
              if (one.kind === 'sync') await sliced.sync()
              else await take(server, room, people, one)
            }
            await sliced.sync()
            const once = new SyncedClient(server, watcher.token, { limit, stateAfter })
            await once.sync()
            assert.deepEqual(sliced.stateOf(room), once.stateOf(room))
            assert.equal(sliced.isJoined(room), once.isJoined(room))
          },
        ),
        { numRuns: 12 },
      )
      await server.close()
    })
  }

  test('in any slices shows every message once, gaps filled from prev_batch', async () => {
    const server = await testServer(open)
    const [alice, bob] = [await server.register('alice'), await server.register('bob')]
    let serial = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(7), { minLength: 1, maxLength: 6 }),
        fc.constantFrom(1, 2, 100),
        async (bursts, limit) => {
          const created = await server.call('POST', '/_matrix/client/v3/createRoom', {
            token: alice.token,
            body: { preset: 'public_chat' },
          })
          const room = String(created.body['room_id'])
          await server.call('POST', `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/join`, {
            token: bob.token,
            body: {},
          })
          const client = new SyncedClient(server, bob.token, { limit, stateAfter: false })
          await client.sync()
          const sent: string[] = []
          for (const burst of bursts) {
            for (let index = 0; index < burst; index++) {
              const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.message/${++serial}`
              const { body } = await server.call('PUT', path, {
                token: alice.token,
                body: { msgtype: 'm.text', body: 'x' },
              })
              assert.equal(typeof body['event_id'], 'string', JSON.stringify(body))
              sent.push(String(body['event_id']))
            }
            await client.sync()
          }
          const seen = client
            .timelineOf(room)
            .filter(({ type }) => type === 'm.room.message')
            .map(({ event_id: id }) => id)
          assert.deepEqual(seen, sent)
        },
      ),
      { numRuns: 10 },
    )
    await server.close()
  })
})
