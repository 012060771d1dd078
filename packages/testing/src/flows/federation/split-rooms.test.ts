// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '@myelin/kit/random'
import type { EventId } from '@myelin/matrix/ids'
import { stateKey } from '@myelin/rules/auth/state-key'
import type { StateKey } from '@myelin/rules/auth/state-key'
import { resolve } from '@myelin/rules/state-resolution/resolve'
import { checkDatabase } from '@myelin/services/check-database'
import { roomVersionOf } from '@myelin/services/room-state/versions'
import type { Read } from '@myelin/storage/engine/database'
import { EVENT_STATUS, eventsByNid } from '@myelin/storage/rooms/events/events'
import { forwardExtremitiesOf } from '@myelin/storage/rooms/forward-extremities'
import { roomNid } from '@myelin/storage/engine/names'
import { namedState, roomById } from '@myelin/storage/rooms/rooms'
import { onEveryDatabase } from '../../databases.ts'
import { forks, splitStage } from '../../stages/split-stage.ts'
import type { SplitStage } from '../../stages/split-stage.ts'

async function stateNow(db: Read, root: number): Promise<Map<StateKey, EventId>> {
  const entries = await namedState(db, root)
  const events = await eventsByNid(
    db,
    entries.map(({ event }) => event),
  )
  return new Map(
    entries.flatMap(({ type, stateKey: key, event }) => {
      const id = events.get(event)?.pdu.id
      return id === undefined ? [] : [[stateKey(type, key), id] as const]
    }),
  )
}

/** Returns the resolution of all forward extremities by the rules, with all events in memory. */
async function stateByTheRules({ home, room }: SplitStage, version: string) {
  const db = home.rt.db.read
  const extremities = await forwardExtremitiesOf(db, (await roomNid(db, room.roomId)) ?? 0)
  const sets = await Promise.all(extremities.map(({ stateAfter }) => stateNow(db, stateAfter)))
  const rows = await db.selectFrom('events').select('event_nid').execute()
  const all = await eventsByNid(
    db,
    rows.map((row) => row.event_nid),
  )
  const events = new Map([...all.values()].map(({ pdu }) => [pdu.id, pdu]))
  const rejected = [...all.values()].filter(({ status }) => status === EVENT_STATUS.rejected).map(({ pdu }) => pdu.id)
  return { extremities, state: resolve(roomVersionOf(version), sets, events, new Set(rejected)) }
}

function shuffled<Item>(items: readonly Item[], seed: string): Item[] {
  const random = seededRandom(seed)
  const keyed = items.map((item) => ({ item, key: random.token(8) }))
  return keyed.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map(({ item }) => item)
}

const sorted = (state: ReadonlyMap<StateKey, string>) => [...state].toSorted(([a], [b]) => (a < b ? -1 : 1))

onEveryDatabase('a room with more heads than an event can continue', (open) => {
  for (const version of ['2', '11']) {
    test(`has the state that all of them come to, in whatever order they came (version ${version})`, async () => {
      const results = new Set<string>()
      for (const seed of ['a', 'b']) {
        const at = await splitStage(open, version)
        const { home, room, client, theirs } = at
        const { read } = home.rt.db
        const branches = await forks(at, 45)
        const order = shuffled(branches, seed)
        for (let start = 0; start < order.length; start += 9) {
          await theirs.send(order.slice(start, start + 9).map(({ json }) => json))
          await client.sync()
        }
        const row = await roomById(read, room.roomId)
        const expected = await stateByTheRules(at, version)
        assert.deepEqual([row?.extremityCount, row?.isUnsettled, expected.extremities.length], [45, false, 45])
        const state = await stateNow(read, row?.stateRoot ?? 0)
        assert.deepEqual(sorted(state), sorted(expected.state))
        await client.sync()
        assert.deepEqual(new Set(Object.values(client.stateOf(room.roomId))), new Set(state.values()))
        const names = new Map(branches.map(({ id }, index) => [id as string, index]))
        results.add(JSON.stringify(sorted(state).map(([key, id]) => [key, names.get(id)])))
        for await (const { what, name, fault } of checkDatabase(read)) assert.fail(`${what} ${name}: ${fault}`)
        await at.network.close()
      }
      assert.equal(results.size, 1)
    })
  }

  test('shows a user of ours who is invited by what they come to what the room is', async () => {
    const at = await splitStage(open, '11')
    const { home, room, theirs } = at
    const carol = await home.register('carol')
    const prevEvents = await theirs.extremities(room.roomId)
    await theirs.send((await forks(at, 45)).map(({ json }) => json))
    const invite = await theirs.build({
      roomId: room.roomId,
      prevEvents,
      sender: '@bob:two.test',
      type: 'm.room.member',
      stateKey: carol.userId,
      content: { membership: 'invite' },
    })
    await theirs.send([invite.json])
    assert.equal((await roomById(home.rt.db.read, room.roomId))?.isUnsettled, false)
    const { body } = await home.call('GET', '/_matrix/client/v3/sync', { token: carol.token })
    const { invite: invites } = body['rooms'] as {
      invite: Record<string, { invite_state: { events: { type: string; state_key: string; event_id?: string }[] } }>
    }
    const shown = invites[room.roomId]?.invite_state.events ?? []
    const named = new Map(shown.map((event) => [`${event.type} ${event.state_key}`, event]))
    assert.equal(named.get(`m.room.member ${carol.userId}`)?.event_id, invite.id)
    for (const key of ['m.room.create ', 'm.room.join_rules ', 'm.room.member @bob:two.test']) assert.ok(named.has(key))
    await at.network.close()
  })

  test('gives them to our events, the oldest first, until one is left', async () => {
    const at = await splitStage(open, '11')
    const { home, room, theirs } = at
    await theirs.send((await forks(at, 45)).map(({ json }) => json))
    const { read } = home.rt.db
    const before = (await roomById(read, room.roomId))?.extremityCount ?? 0
    assert.ok(before > 20)
    for (let left = before; left > 1; left -= Math.min(left, 20) - 1) {
      assert.equal((await roomById(read, room.roomId))?.extremityCount, left)
      await room.say('@bob:two.test', 'together')
    }
    const row = await roomById(read, room.roomId)
    assert.deepEqual([row?.extremityCount, row?.isUnsettled], [1, false])
    for await (const { what, name, fault } of checkDatabase(read)) assert.fail(`${what} ${name}: ${fault}`)
    await at.network.close()
  })
})
