// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SlidingClient } from '../../clients/sliding-client.ts'
import { onEveryDatabase } from '../../databases.ts'
import { arrives, becomesWhole, partialStage, say } from '../../stages/partial-stage.ts'

onEveryDatabase('a room whose members were left out of the join, in sliding sync', (open) => {
  test('is shown at once with lazy members, and to others when all members are known', async () => {
    const set = await partialStage(open)
    const { network, alice, bob, carol, mallory, roomId, held } = set
    const requestOf = (pairs: readonly (readonly [string, string])[]) => ({
      lists: { all: { ranges: [[0, 9]], timeline_limit: 5, required_state: pairs } },
    })
    const lazy = requestOf([
      ['m.room.name', ''],
      ['m.room.member', '$LAZY'],
    ])
    const eager = requestOf([['m.room.member', '*']])
    const [phone, desktop] = [
      new SlidingClient(bob.server, bob.token, 'msc3575', 'phone'),
      new SlidingClient(bob.server, bob.token, 'msc3575', 'desktop'),
    ]
    assert.equal((await phone.sync(lazy)).rooms[roomId]?.name, 'The room')
    assert.equal((await desktop.sync(eager)).rooms[roomId], undefined)
    // A client that asks for all members of a room that it has misses nothing of the room.
    assert.equal((await phone.sync(eager)).rooms[roomId], undefined)
    const event = await say(carol, roomId, 'hello')
    await arrives(set, event, bob)
    assert.equal((await phone.sync(eager)).rooms[roomId], undefined)
    const again = (await phone.sync(lazy)).rooms[roomId]
    assert.deepEqual(
      again?.timeline?.map(({ event_id: id }) => id),
      [event],
    )
    held.answer(undefined)
    await becomesWhole(set)
    const whole = (await desktop.sync(eager)).rooms[roomId]
    const members = (whole?.required_state ?? []).map(({ state_key: key = '' }) => key)
    assert.deepEqual(members.toSorted(), [alice, bob, carol, mallory].map(({ userId }) => userId).toSorted())
    assert.equal((await phone.sync(lazy)).rooms[roomId]?.joined_count, 4)
    await network.close()
  })
})
