// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UserId } from '@myelin/matrix/ids'
import { membersOf } from '@myelin/storage/rooms/members/members'
import { roomById } from '@myelin/storage/rooms/rooms'
import { onEveryDatabase } from '../databases.ts'
import { join, lastEvent, moveAll, path, post, stage, stateOn } from '../stages/federated-stage.ts'
import type { Stage, User } from '../stages/federated-stage.ts'
import { ForeignAuthor } from '../foreign-author.ts'

/** Returns the memberships of a room, and the counts in its row. */
async function members({ server }: User, { roomId }: Stage) {
  const db = server.rt.db.read
  const room = await roomById(db, roomId)
  const all = await membersOf(db, roomId, ['join', 'invite', 'leave', 'ban', 'knock'])
  return {
    standings: all.map(({ userId, membership }) => `${userId} ${membership}`).toSorted(),
    joined: room?.joinedCount,
    invited: room?.invitedCount,
  }
}

const crowd = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => `@member${from + at}:one.test` as UserId)

onEveryDatabase('rooms of many members', (open) => {
  test('are joined with all members, and again after many have changed', async () => {
    const set = await stage(open)
    const { network, alice, bob, roomId } = set
    await moveAll(set, crowd(0, 150), 'join')
    await moveAll(set, crowd(140, 150), 'leave')
    // Users whom the server knew before its join, and whose invite ends.
    assert.equal((await post(alice, path(roomId, 'invite'), { user_id: bob.userId })).status, 200)
    assert.equal((await join(bob, roomId)).status, 200)
    assert.deepEqual(await members(bob, set), await members(alice, set))
    assert.equal((await members(bob, set)).joined, 142)
    const left = await lastEvent(bob, () => post(bob, path(roomId, 'leave')), roomId)
    await new ForeignAuthor(alice.server, bob.server).send([left])
    await moveAll(set, crowd(0, 70), 'leave')
    await moveAll(set, crowd(145, 230), 'join')
    assert.equal((await join(bob, roomId)).status, 200)
    assert.deepEqual(await members(bob, set), await members(alice, set))
    assert.equal((await members(bob, set)).joined, 157)
    assert.deepEqual(await stateOn(bob, roomId), await stateOn(alice, roomId))
    await network.close()
  })
})
