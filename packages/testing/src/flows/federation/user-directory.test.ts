// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import type { UserId } from '@myelin/matrix/ids'
import { membershipIn } from '@myelin/storage/rooms/members/members'
import { onEveryDatabase } from '../../databases.ts'
import { create, join, path, post, stage, user } from '../../stages/federated-stage.ts'
import type { User } from '../../stages/federated-stage.ts'

const put = async (who: User, rest: string, body: object) => {
  const answer = await who.server.call('PUT', `/_matrix/client/v3/${rest}`, { token: who.token, body })
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
}
const search = async (who: User, term: string) =>
  (await post(who, 'user_directory/search', { search_term: term })).body['results']

onEveryDatabase('a user of another server', (open) => {
  test('is found by display name, with name and avatar, by users who may see a room of theirs', async () => {
    const { network, alice, bob, roomId } = await stage(open)
    const erin = await user(network, 'erin', 'one.test')
    await put(bob, `profile/${bob.userId}/displayname`, { displayname: 'Robert Müller' })
    await put(bob, `profile/${bob.userId}/avatar_url`, { avatar_url: 'mxc://two.test/robert' })
    assert.deepEqual(await search(alice, 'müller'), [], 'they share no room yet')
    await join(bob, roomId)
    await network.settle()
    const found = [{ user_id: bob.userId, display_name: 'Robert Müller', avatar_url: 'mxc://two.test/robert' }]
    for (const term of ['müller', 'rob', 'bob', bob.userId]) assert.deepEqual(await search(alice, term), found, term)
    assert.deepEqual(await search(erin, 'müller'), found, 'the room is public')
    await put(alice, path(roomId, 'state/m.room.join_rules/'), { join_rule: 'invite' })
    await put(alice, path(roomId, 'state/m.room.history_visibility/'), { history_visibility: 'shared' })
    assert.deepEqual(await search(erin, 'müller'), [], 'the room is private')
    await network.close()
  })

  test('keeps a name that a private room knows them by from others, as well as one that an inviter gives them', async () => {
    const { network, alice, bob, roomId } = await stage(open)
    const carol = await user(network, 'carol', 'one.test')
    const found = (name: string) => [{ user_id: bob.userId, display_name: name }]
    await put(bob, `profile/${bob.userId}/displayname`, { displayname: 'Robert' })
    await join(bob, roomId)
    const hidden = await create(carol, { preset: 'private_chat', invite: [bob.userId] })
    await network.settle()
    await join(bob, hidden)
    const nickname = { membership: 'join', displayname: 'Zaphod' }
    await put(bob, path(hidden, `state/m.room.member/${bob.userId}`), nickname)
    await network.settle(async () => isDeepStrictEqual(await search(carol, 'zaphod'), found('Zaphod')))
    assert.deepEqual(await search(alice, 'zaphod'), [])
    assert.deepEqual(await search(alice, 'robert'), found('Robert'))
    assert.equal((await post(bob, path(hidden, 'leave'))).status, 200)
    const here = alice.server.rt.db.read
    await network.settle(async () => (await membershipIn(here, hidden, bob.userId as UserId))?.membership === 'leave')
    assert.deepEqual(await search(alice, 'robert'), found('Robert'))
    assert.deepEqual(await search(carol, 'zaphod'), [], 'they share no room any more')
    await network.close()
  })
})
