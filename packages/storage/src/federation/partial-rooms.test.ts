// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventId, ServerName, UserId } from '@myelin/matrix/ids'
import { onEveryDatabase } from '@myelin/testing/databases'
import { authorRoom } from '@myelin/testing/room-author'
import { testRuntime } from '@myelin/testing/runtime'
import { eventById, roomTail, stateRootAt } from '../rooms/events/events.ts'
import { cachedEvents } from '../rooms/events/cached-events.ts'
import {
  partialEvents,
  pendingPartialEvents,
  putPartialEvent,
  putRecalculated,
  applyRecalculated,
} from './partial-events.ts'
import {
  dropPartialRoom,
  hintedServers,
  partialRoom,
  partialRooms,
  partialRoomsWith,
  putPartialRoom,
} from './partial-rooms.ts'
import { openRoom, roomById } from '../rooms/rooms.ts'

const alice = '@alice:one.test'

onEveryDatabase('a room without known members', (open) => {
  test('is marked, found and let go of', async () => {
    const rt = await testRuntime(open)
    const { roomId, say } = await authorRoom(rt, alice, { preset: 'public_chat' })
    const join = await eventById(rt.db.read, (await say(alice, 'here')) as EventId)
    const servers = ['two.test', 'three.test'] as ServerName[]
    await rt.db.write(async (tx) => {
      const room = await openRoom(tx, roomId)
      assert.ok(room && join)
      await putPartialRoom(tx, { room: room.nid, join: join.nid, baseRoot: join.stateBefore, servers })
      tx.touch(roomId)
    })
    const found = await partialRoom(rt.db.read, roomId)
    assert.deepEqual(await partialRooms(rt.db.read), [found])
    assert.deepEqual([found?.join, found?.baseRoot, found?.fullRoot], [join?.nid, join?.stateBefore, 0])
    assert.deepEqual(await hintedServers(rt.db.read, roomId), servers)
    assert.deepEqual(await partialRoomsWith(rt.db.read, alice as UserId), [roomId])
    assert.equal((await roomById(rt.db.read, roomId))?.isPartial, true)
    await rt.db.write(async (tx) => {
      await dropPartialRoom(tx, found?.room ?? 0)
      tx.touch(roomId)
    })
    assert.deepEqual([await partialRooms(rt.db.read), await hintedServers(rt.db.read, roomId)], [[], []])
    assert.equal((await roomById(rt.db.read, roomId))?.isPartial, false)
    await rt.close()
  })

  test('gets the final states of its events at once, and cached states are read again', async () => {
    const rt = await testRuntime(open)
    const { roomId, say, send } = await authorRoom(rt, alice, { preset: 'public_chat' })
    const said = await eventById(rt.db.read, await say(alice, 'one'))
    await send(alice, 'm.room.topic', { topic: 'other' }, '')
    const last = await eventById(rt.db.read, await say(alice, 'two'))
    assert.ok(said && last)
    const room = (await rt.db.write((tx) => openRoom(tx, roomId)))?.nid ?? 0
    const at = said.position ?? 0
    assert.equal(await stateRootAt(rt.db.read, roomId, at), said.roomRoot)
    await cachedEvents(rt.db.read, [said.nid])
    const tail = async () => roomTail(rt.db.read, roomId, last.position ?? 0)
    const before = (await tail()).find(({ nid }) => nid === said.nid)
    assert.equal(before?.stateAfter, said.stateAfter)
    await rt.db.write((tx) => putPartialEvent(tx, room, said.nid))
    assert.deepEqual(await pendingPartialEvents(rt.db.read, room, 10), [said.nid])
    assert.deepEqual([...(await partialEvents(rt.db.read, [said.nid, last.nid]))], [[said.nid, undefined]])
    const { stateBefore, stateAfter, roomRoot } = last
    await rt.db.write((tx) =>
      putRecalculated(tx, { nid: said.nid, stateBefore, stateAfter, roomRoot, replaces: undefined, status: 0 }),
    )
    assert.deepEqual(await pendingPartialEvents(rt.db.read, room, 10), [])
    assert.equal(await stateRootAt(rt.db.read, roomId, at), said.roomRoot)
    await rt.db.write((tx) => applyRecalculated(tx, room))
    assert.equal(await stateRootAt(rt.db.read, roomId, at), roomRoot)
    assert.equal((await tail()).find(({ nid }) => nid === said.nid)?.stateAfter, stateAfter)
    const known = (await cachedEvents(rt.db.read, [said.nid])).get(said.nid)
    assert.deepEqual([known?.stateBefore, known?.stateAfter, known?.status], [stateBefore, stateAfter, 0])
    await rt.close()
  })
})
