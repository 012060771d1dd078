// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { createDatabase, onEveryDatabase, testOnPostgres } from '@myelin/testing/databases'
import type { Database, Tx } from '../engine/database.ts'
import { openPostgres } from '../engine/postgres/postgres.ts'
import { putOutlierMembership } from './members/outlier-memberships.ts'
import { cachedRoom } from './cached-room.ts'
import { roomRows } from './room-row.ts'
import { createRoomRow, openRoom, publishRoom, roomById } from './rooms.ts'

const lobby = '!lobby:one.test' as RoomId

/** Moves a room on by one; answers how deep it is then. */
const move = async (tx: Tx, roomId = lobby) => {
  const room = await openRoom(tx, roomId)
  assert.ok(room)
  const position = tx.takePosition()
  tx.touch(roomId)
  const row = room.movedBy({
    extremities: '[]',
    head_count: 0,
    is_unsettled: 0,
    depth: room.depth + 1,
    state_root: 0,
    last_position: position,
    notified: room.notified,
    joined_count: room.joinedCount,
    invited_count: room.invitedCount,
    bump_position: room.bumpPosition,
  })
  tx.known.change(roomRows, row)
  return room.depth + 1
}

const bob = '@bob:one.test' as UserId
const content = { membership: 'invite' }
const invite: Pdu = {
  id: '$invite:two.test' as EventId,
  roomId: lobby,
  sender: '@carol:two.test' as UserId,
  type: 'm.room.member',
  stateKey: bob,
  content,
  prevEvents: [],
  authEvents: [],
  depth: 1,
  originServerTs: 1,
  json: { type: 'm.room.member', state_key: bob, sender: '@carol:two.test', content },
}

const depth = async (db: Database) => (await roomById(db.read, lobby))?.depth

onEveryDatabase('the rows of rooms', (open) => {
  test('are moved on by one unit after the other, and asked for once', async () => {
    const db = await open()
    await db.write((tx) => createRoomRow(tx, lobby, '11'))
    const depths = await Promise.all(Array.from({ length: 30 }, () => db.write((tx) => move(tx))))
    assert.deepEqual(
      depths,
      depths.map((_, index) => index + 1),
    )
    assert.equal(await depth(db), 30)
    assert.equal(await db.write(async (tx) => tx.known.row(roomRows, lobby)?.depth), 30)
    await db.close()
  })

  test('are read once, and again when there is a room that was not there, or its counts change', async () => {
    const db = await open()
    const before = await cachedRoom(db.read, lobby)
    await db.write((tx) => createRoomRow(tx, lobby, '11'))
    const made = await cachedRoom(db.read, lobby)
    await db.write(async (tx) => {
      const room = await openRoom(tx, lobby)
      assert.ok(room)
      await putOutlierMembership(tx, room, invite)
    })
    const invited = await cachedRoom(db.read, lobby)
    assert.deepEqual([before, made?.invitedCount, invited?.invitedCount], [undefined, 0, 1])
    await db.close()
  })

  test('are as they were where a unit is taken back, whether it had read or not', async () => {
    const db = await open()
    await db.write((tx) => createRoomRow(tx, lobby, '11'))
    await db.write((tx) => move(tx))
    const changesItsMind = (reads: boolean) =>
      db.write(async (tx) => {
        await move(tx)
        if (reads) await tx.selectFrom('settings').select('name').execute()
        await move(tx)
        throw new Error('changed my mind')
      })
    const outcomes = await Promise.allSettled([
      changesItsMind(false),
      db.write((tx) => move(tx)),
      changesItsMind(true),
      db.write((tx) => move(tx)),
    ])
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : undefined)),
      [undefined, 2, undefined, 3],
    )
    assert.equal(await depth(db), 3)
    await db.close()
  })

  test('are seen by other queries, and changed by other statements', async () => {
    const db = await open()
    await db.write((tx) => createRoomRow(tx, lobby, '11'))
    const [, seen, , isPublished, last] = await Promise.all([
      db.write((tx) => move(tx)),
      db.write((tx) => tx.selectFrom('rooms').select(['depth', 'opened']).executeTakeFirst()),
      db.write(async (tx) => {
        await move(tx)
        await publishRoom(tx, lobby, true)
        await move(tx)
      }),
      db.write(async (tx) => (await openRoom(tx, lobby))?.isPublished),
      db.write((tx) => move(tx)),
    ])
    assert.deepEqual([seen?.depth, seen?.opened], [1, 1])
    assert.deepEqual([isPublished, last], [true, 4])
    const room = await roomById(db.read, lobby)
    assert.deepEqual([room?.depth, room?.isPublished], [4, true])
    await db.close()
  })
})

testOnPostgres("another node's change of a room is visible to the next write transaction (postgres)", async () => {
  const { url, drop } = await createDatabase()
  const node = () => openPostgres({ connectionString: url, maxReaders: 2 }, { committed: () => {} })
  const [here, there] = [await node(), await node()]
  await here.write((tx) => createRoomRow(tx, lobby, '11'))
  const depths: number[] = []
  for (const db of [here, here, there, here, there, there, here]) depths.push(await db.write((tx) => move(tx)))
  assert.deepEqual(depths, [1, 2, 3, 4, 5, 6, 7])
  // No waiter depends on the publication of a room, so it takes no position.
  await there.write((tx) => publishRoom(tx, lobby, true))
  assert.equal(await here.write(async (tx) => (await openRoom(tx, lobby))?.isPublished), true)
  await Promise.all([here.close(), there.close()])
  await drop()
})
