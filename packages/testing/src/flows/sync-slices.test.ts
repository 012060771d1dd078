// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { onEveryDatabase } from '../databases.ts'
import type { JsonObject } from '@myelin/matrix/json'
import { SyncedClient } from '../clients/synced-client.ts'
import type { ClientEvent } from '../clients/synced-client.ts'
import { testConfig } from '../runtime.ts'
import { testServer } from '../server.ts'
import type { TestServer } from '../server.ts'

type Person = { readonly userId: string; readonly token: string }
type Kind = (typeof KINDS)[number]
type Step = { readonly kind: Kind; readonly who: number; readonly whom: number; readonly serial: number }

const KINDS = [
  'message',
  'message',
  'name',
  'topic',
  'leave',
  'join',
  'join',
  'invite',
  'kick',
  'ban',
  'unban',
  'rename',
  'visibility',
  'ignore',
  'status',
  'status',
  'sync',
  'sync',
] as const
const PROFILE_FIELDS = ['displayname', 'x.status']
const VISIBILITIES = ['joined', 'invited', 'shared', 'world_readable'] as const

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...KINDS),
  who: fc.nat(2),
  whom: fc.nat(2),
  serial: fc.nat(1000),
})

// The events that a client may leave out of the timeline; they must then be in the state.
const timelineFilter = fc.constantFrom<JsonObject>(
  {},
  {},
  { not_types: ['m.room.member'] },
  { types: ['m.room.message', 'm.room.member'] },
)

/** Does a step as its person would; a step the rules refuse is part of life. */
async function take(server: TestServer, room: string, people: readonly Person[], step: Step): Promise<void> {
  const [person, target] = [people[step.who], people[step.whom]]
  if (!person || !target || step.kind === 'sync') return
  const base = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}`
  const { token } = person
  const { serial } = step
  const put = (path: string, body: object) => server.call('PUT', path, { token, body })
  const move = (way: string, body: object = {}) => server.call('POST', `${base}/${way}`, { token, body })
  const own = `/_matrix/client/v3/user/${person.userId}/account_data/m.ignored_user_list`
  const calls: Record<Exclude<Kind, 'sync'>, () => Promise<unknown>> = {
    message: () =>
      put(`${base}/send/m.room.message/${serial}-${Math.trunc(serial / 3)}`, { msgtype: 'm.text', body: `${serial}` }),
    name: () => put(`${base}/state/m.room.name/`, { name: `name ${serial}` }),
    topic: () => put(`${base}/state/m.room.topic/`, { topic: `topic ${serial}` }),
    visibility: () =>
      put(`${base}/state/m.room.history_visibility/`, { history_visibility: VISIBILITIES[serial % 4] ?? 'joined' }),
    leave: () => move('leave'),
    join: () => move('join'),
    invite: () => move('invite', { user_id: target.userId }),
    kick: () => move('kick', { user_id: target.userId }),
    ban: () => move('ban', { user_id: target.userId }),
    unban: () => move('unban', { user_id: target.userId }),
    rename: () =>
      put(`/_matrix/client/v3/profile/${person.userId}/displayname`, { displayname: `called ${serial % 7}` }),
    status: () =>
      serial % 3 === 0
        ? server.call('DELETE', `/_matrix/client/v3/profile/${person.userId}/x.status`, { token })
        : put(`/_matrix/client/v3/profile/${person.userId}/x.status`, { 'x.status': serial }),
    ignore: () => put(own, { ignored_users: serial % 2 === 0 ? { [target.userId]: {} } : {} }),
  }
  await calls[step.kind]()
}

/** The room's state as `/state` says it. */
async function truth(server: TestServer, room: string, { token }: Person): Promise<Record<string, string>> {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/state`
  const { body } = await server.call('GET', path, { token })
  const events = body as unknown as readonly ClientEvent[]
  const named = events.map(({ type, state_key: key, event_id: id }) => [`${type} ${key ?? ''}`, id] as const)
  return Object.fromEntries(named.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

onEveryDatabase('syncing', (open) => {
  for (const stateAfter of [false, true]) {
    const dialect = stateAfter ? 'with state_after' : 'with state'
    test(`in any slices gives a client the same rooms and state as syncing once, ${dialect}`, async (t) => {
      // So few profiles in an answer that they take several.
      const profiles = { ...testConfig.profiles, isInSync: true, maxInAnswer: 1 }
      const server = await testServer(open, { profiles })
      t.after(() => server.close())
      const [host, watcher] = [await server.register('host'), await server.register('watcher')]
      const levels = { state_default: 0, invite: 0, kick: 0, ban: 0, events: {} }
      let rooms = 0
      const walk = async (steps: readonly Step[], limit: number, timeline: JsonObject) => {
        const people = [host, watcher, await server.register(`other${++rooms}`)]
        const created = await server.call('POST', '/_matrix/client/v3/createRoom', {
          token: host.token,
          body: { preset: 'public_chat', power_level_content_override: levels },
        })
        const room = String(created.body['room_id'])
        const sliced = new SyncedClient(server, watcher.token, {
          limit,
          stateAfter,
          timeline,
          profileFields: PROFILE_FIELDS,
        })
        await sliced.sync()
        for (const one of steps) {
          if (one.kind === 'sync') await sliced.sync()
          else await take(server, room, people, one)
        }
        await sliced.catchUp()
        const once = new SyncedClient(server, watcher.token, {
          limit,
          stateAfter,
          timeline,
          profileFields: PROFILE_FIELDS,
        })
        await once.catchUp()
        assert.equal(sliced.isJoined(room), once.isJoined(room))
        assert.deepEqual(sliced.profiles(), once.profiles())
        if (!once.isJoined(room)) return
        const state = await truth(server, room, watcher)
        assert.deepEqual(once.stateOf(room), state)
        assert.deepEqual(sliced.stateOf(room), state)
      }
      const steps = (who: number, ...kinds: Kind[]) => kinds.map((kind) => ({ kind, who, whom: 2, serial: 0 }))
      // The watcher is away while somebody who was invited joins: the invite is in the timeline, the join is hidden.
      const missed = [
        ...steps(0, 'visibility'),
        ...steps(1, 'join', 'sync', 'invite', 'leave'),
        ...steps(2, 'join'),
        ...steps(1, 'join'),
      ]
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 1, maxLength: 30 }),
          fc.constantFrom(1, 3, 50),
          timelineFilter,
          walk,
        ),
        { numRuns: 25, examples: [1, 3, 50].map((limit) => [missed, limit, {}]) },
      )
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
