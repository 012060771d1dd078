// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { StoppedClock } from '@myelin/kit/stopped-clock'
import type { RoomId } from '@myelin/matrix/ids'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { receivePdus } from '@myelin/services/rooms/intake/receive-pdus'
import { ResolutionTooLong, Resolutions } from '@myelin/services/rooms/resolution/resolutions'
import { resolveForkedRoom } from '@myelin/services/rooms/intake/resolve-forked-room'
import { roomVersionOf } from '@myelin/services/room-state/versions'
import { forwardExtremitiesOf } from '@myelin/storage/rooms/forward-extremities'
import { roomNid } from '@myelin/storage/engine/names'
import { openPostgres } from '@myelin/storage/engine/postgres/postgres'
import { roomById } from '@myelin/storage/rooms/rooms'
import { createDatabase, onEveryDatabase, openTemporarySqlite, testOnPostgres } from '../../databases.ts'
import type { OpenDatabase } from '../../databases.ts'
import { checkConsistency } from '../../stages/partial-stage.ts'
import { testRuntime } from '../../runtime.ts'
import { forks, splitStage } from '../../stages/split-stage.ts'

const VERSION = '11'
const LONG_MS = 3_600_000

/** A room with that many heads that nobody has settled, and the states after them. */
async function unsettled(open: OpenDatabase, count: number) {
  const at = await splitStage(open, VERSION)
  const { home, room } = at
  const { rt, workers } = home
  const branches = await forks(at, count)
  await workers.inbound.close()
  const version = roomVersionOf(VERSION)
  await receivePdus(
    rt,
    { server: at.network.server('two.test').name, roomId: room.roomId, version },
    branches,
    async () => {},
  )
  const nid = (await roomNid(rt.db.read, room.roomId)) ?? 0
  const extremities = await forwardExtremitiesOf(rt.db.read, nid)
  const states = { roomId: room.roomId, version, roots: extremities.map(({ stateAfter }) => stateAfter) }
  return { ...at, states }
}

/** Runs ready tasks until a timer is set. */
async function alarm(clock: StoppedClock): Promise<void> {
  while (clock.waiting === 0) await new Promise((resolve) => setImmediate(resolve))
}

onEveryDatabase('states that are resolved on threads', (open) => {
  test('are resolved although the thread is killed, once for all who ask', async () => {
    const { network, home, states } = await unsettled(open, 30)
    const { db } = home.rt
    const [killed, other] = [new Resolutions(db), new Resolutions(db)]
    const asked = [killed.resolve(states), killed.resolve({ ...states, roots: states.roots.toReversed() })]
    await killed.close()
    const [first, second] = await Promise.all(asked)
    assert.equal(first, await other.resolve(states))
    assert.equal(second, first)
    await Promise.all([killed.close(), other.close()])
    await network.close()
  })

  test('of one room do not keep those of another from being resolved when they kill the thread', async () => {
    const { network, home, states } = await unsettled(open, 30)
    const resolutions = new Resolutions(home.rt.db)
    // The thread does not know such a version, and does not survive it.
    const deadly = { ...states, roomId: '!deadly:two.test' as RoomId, version: { id: 'deadly' } as RoomVersion }
    const some = states.roots.slice(0, 20)
    const [died, root] = await Promise.allSettled([
      resolutions.resolve({ ...deadly, roots: some }),
      resolutions.resolve(states),
    ])
    assert.ok(died.status === 'rejected' && died.reason instanceof ResolutionTooLong)
    assert.equal(root.status, 'fulfilled')
    await assert.rejects(resolutions.resolve({ ...deadly, roots: some }), ResolutionTooLong)
    await resolutions.close()
    await network.close()
  })
})

describe('a resolution that takes long', () => {
  test('is begun anew beside the others, and given up for good where that is too long as well', async () => {
    const { network, home, states } = await unsettled(openTemporarySqlite, 30)
    const clock = new StoppedClock()
    const resolutions = new Resolutions(home.rt.db, clock)
    const failed = assert.rejects(resolutions.resolve(states), ResolutionTooLong)
    clock.advance(LONG_MS)
    await alarm(clock)
    clock.advance(LONG_MS)
    await failed
    await assert.rejects(resolutions.resolve(states), ResolutionTooLong)
    assert.equal(clock.waiting, 0, 'what is known to be too long is not tried again')
    const patient = new Resolutions(home.rt.db, clock)
    const again = patient.resolve(states)
    clock.advance(LONG_MS)
    await alarm(clock)
    const plain = new Resolutions(home.rt.db)
    assert.equal(await again, await plain.resolve(states), 'who comes to an end on the second thread is in time')
    await plain.close()
    await Promise.all([resolutions.close(), patient.close()])
    await network.close()
  })
})

testOnPostgres('two nodes that settle one room at once come to one state', async () => {
  const made: ReturnType<typeof createDatabase>[] = []
  const openShared = async (connectionString: string, events: Parameters<OpenDatabase>[0]) =>
    openPostgres({ connectionString, maxReaders: 3 }, events ?? { committed: () => {} })
  const at = await unsettled(async (events) => {
    const created = createDatabase()
    made.push(created)
    return openShared((await created).url, events)
  }, 45)
  const { home, room, network } = at
  const shared = await made[0]
  assert.ok(shared)
  const there = await testRuntime((events) => openShared(shared.url, events))
  const before = await roomById(home.rt.db.read, room.roomId)
  assert.deepEqual([before?.isUnsettled, before?.extremityCount], [true, 45])
  assert.deepEqual(
    await Promise.all([
      resolveForkedRoom(home.rt, room.roomId),
      resolveForkedRoom(there, room.roomId),
      resolveForkedRoom(there, room.roomId),
    ]),
    [true, true, true],
  )
  for (const { db } of [home.rt, there]) {
    await db.catchUp()
    const row = await roomById(db.read, room.roomId)
    const moves = await db.read.selectFrom('state_moves').selectAll().execute()
    assert.deepEqual([row?.isUnsettled, moves.map((move) => move.state_root)], [false, [row?.stateRoot]])
    const single = new Resolutions(db)
    assert.equal(row?.stateRoot, await single.resolve(at.states))
    await single.close()
  }
  await checkConsistency({ server: home, userId: '@alice:one.test', deviceId: '', token: '' })
  await there.close()
  await network.close()
  for (const each of made) await (await each).drop()
})
