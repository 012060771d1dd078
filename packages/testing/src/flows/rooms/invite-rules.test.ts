// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '../../databases.ts'
import { testServer } from '../../server.ts'
import { create, path, post, stage } from '../../stages/federated-stage.ts'
import type { User } from '../../stages/federated-stage.ts'

const v3 = '/_matrix/client/v3'
const CONFIG = 'org.matrix.msc4155.invite_permission_config'

const setRules = async ({ server, userId, token }: User, rules: object, name = CONFIG) => {
  const target = `${v3}/user/${encodeURIComponent(userId)}/account_data/${name}`
  assert.equal((await server.call('PUT', target, { token, body: rules })).status, 200)
}

/** Returns the rooms that a user is shown invites to, by /sync and by sliding sync. */
async function invited({ server, token }: User): Promise<string[]> {
  const { body } = await server.call('GET', `${v3}/sync?timeout=0`, { token })
  const shown = Object.keys((body['rooms'] as { invite?: object } | undefined)?.invite ?? {})
  const lists = { all: { ranges: [[0, 20]], required_state: [], timeline_limit: 0 } }
  const sliding = await server.call('POST', '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync', {
    token,
    body: { lists },
  })
  assert.deepEqual(Object.keys(sliding.body['rooms'] as object).toSorted(), shown.toSorted())
  return shown
}

onEveryDatabase('invites', (open) => {
  // The rules, and what becomes of an invite of alice.
  const cases = [
    ['without a matching rule', { blocked_users: ['@carol:*'], ignored_servers: ['*.test.org'] }, 'shown'],
    ['of a blocked user', { blocked_users: ['@ali*:one.test'] }, 'refused'],
    ['of a blocked server', { blocked_servers: ['one.?est'] }, 'refused'],
    ['of an ignored user', { ignored_users: ['@alice:one.test'], blocked_users: ['*'] }, 'hidden'],
    ['of an ignored server', { ignored_servers: ['*'] }, 'hidden'],
    ['of an allowed user of a blocked server', { allowed_users: ['@alice:*'], blocked_servers: ['*'] }, 'shown'],
    ['with rules that are no lists', { blocked_users: '*', blocked_servers: [7, { a: 1 }, ''] }, 'shown'],
  ] as const
  for (const [name, rules, outcome] of cases) {
    test(`${name} are ${outcome}, from this server and from another`, async (t) => {
      const { network, alice, bob, roomId } = await stage(open, { roomOptions: { preset: 'private_chat' } })
      t.after(() => network.close())
      const carol: User = { ...(await alice.server.register('dora')), server: alice.server }
      for (const target of [bob, carol]) {
        await setRules(target, rules)
        const { status, body } = await post(alice, path(roomId, 'invite'), { user_id: target.userId })
        const expected = outcome === 'refused' ? [403, 'M_INVITE_BLOCKED'] : [200, undefined]
        assert.deepEqual([status, body['errcode']], expected)
        assert.deepEqual(await invited(target), outcome === 'shown' ? [roomId] : [])
      }
    })
  }

  test('of a new room go to the others only', async (t) => {
    const server = await testServer(open)
    t.after(() => server.close())
    const [alice, bob, carol] = await Promise.all(
      ['alice', 'bob', 'carol'].map(async (name): Promise<User> => ({ ...(await server.register(name)), server })),
    )
    assert.ok(alice && bob && carol)
    await setRules(bob, { blocked_users: [alice.userId] })
    const roomId = await create(alice, { invite: [bob.userId, carol.userId] })
    assert.deepEqual([await invited(bob), await invited(carol)], [[], [roomId]])
    // The spec's own way to block all invites.
    await setRules(carol, { default_action: 'block' }, 'm.invite_permission_config')
    assert.deepEqual(await invited(carol), [])
  })
})
