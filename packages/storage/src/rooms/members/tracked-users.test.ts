// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UserId } from '@myelin/matrix/ids'
import { onEveryDatabase } from '@myelin/testing/databases'
import { authorRoom } from '@myelin/testing/room-author'
import { testRuntime } from '@myelin/testing/runtime'
import { membershipPositions } from './members.ts'
import { trackedUsers, trackersOf } from './tracked-users.ts'

const [alice, bob, carol, dan] = ['@alice:one.test', '@bob:one.test', '@carol:two.test', '@dan:one.test'] as const
const named = (users: Iterable<string>) => [...users].toSorted()

onEveryDatabase('device tracking', (open) => {
  test('goes from members of a room to all who are joined or invited', async (t) => {
    const rt = await testRuntime(open)
    t.after(() => rt.close())
    const room = await authorRoom(rt, alice, { preset: 'public_chat' })
    await room.member(bob, bob, 'join')
    await room.member(alice, carol, 'invite')
    await room.member(alice, dan, 'ban')
    const tracked = async (user: string) => named(await trackedUsers(rt.db.read, user as UserId))
    const trackers = async (user: string) => named(await trackersOf(rt.db.read, user as UserId))
    for (const member of [alice, bob]) {
      assert.deepEqual(await tracked(member), [alice, bob, carol])
      assert.deepEqual(await trackers(member), [alice, bob])
    }
    assert.deepEqual([await tracked(carol), await trackers(carol)], [[carol], [alice, bob, carol]])
    for (const stranger of [dan, '@nobody:one.test'])
      assert.deepEqual([await tracked(stranger), await trackers(stranger)], [[stranger], [stranger]])
  })

  test('knows a rejoin by its position, and a changed profile by none', async (t) => {
    const rt = await testRuntime(open)
    t.after(() => rt.close())
    const room = await authorRoom(rt, alice, { preset: 'public_chat' })
    await room.member(bob, bob, 'join')
    const position = async () =>
      (await membershipPositions(rt.db.read, room.roomId, [bob as UserId, '@nobody:one.test' as UserId])).get(
        bob as UserId,
      )
    const joined = await position()
    await room.send(bob, 'm.room.member', { membership: 'join', displayname: 'Bobby' }, bob)
    assert.equal(await position(), joined)
    await room.member(bob, bob, 'leave')
    await room.member(bob, bob, 'join')
    assert.notEqual(await position(), joined)
  })
})
