// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '@myelin/matrix/json'

import { onEveryDatabase } from '../databases.ts'
import { levels, topic } from './drafts.ts'
import { bob, mallory, onStage } from './stage.ts'

onEveryDatabase('the checklist of attacks without an advisory', (open) => {
  test('4.3.4: power levels of any form leave the creator in power or are rejected', () =>
    onStage(open, '9', async (stage) => {
      const users = { [stage.alice.userId]: 100, [bob]: 50 }
      const forms: readonly JsonObject[] = [
        { users: { ...users, [mallory]: '100' } },
        { users: { ...users, 'not a user': 10 } },
        { users: { ...users, [mallory]: 2 ** 53 - 1 } },
        { users: [] },
        { users: null },
        {},
        { users, ban: null },
        { users, events: { 'm.room.name': {} } },
        { users, users_default: '100' },
        { users: { ...users, __proto__: 1 } },
      ]
      for (const content of forms) {
        for (const sender of [bob, mallory]) {
          const event = await stage.build({ ...levels(), sender, content })
          await stage.evil.send([event.json])
        }
      }
      const renamed = await stage.home.call(
        'PUT',
        `/_matrix/client/v3/rooms/${encodeURIComponent(stage.room.roomId)}/state/m.room.name`,
        { token: stage.alice.token, body: { name: 'still mine' } },
      )
      assert.equal(renamed.status, 200)
      const event = await stage.build({ ...topic })
      await stage.evil.send([event.json])
      assert.equal(await stage.status(event.id), 'rejected')
    }))

  test('4.3.10: a join authorized by a user who is not in the room is rejected', () =>
    onStage(open, '11', async (stage) => {
      await stage.room.send(
        stage.alice.userId,
        'm.room.join_rules',
        { join_rule: 'restricted', allow: [{ type: 'm.room_membership', room_id: '!x:evil.test' }] },
        '',
      )
      await stage.room.send(
        stage.alice.userId,
        'm.room.power_levels',
        { users: { [stage.alice.userId]: 100 }, invite: 50 },
        '',
      )
      const newcomer = '@new:evil.test'
      for (const vouching of ['@nobody:evil.test', '@alice:one.test', mallory]) {
        const content = { membership: 'join', join_authorised_via_users_server: vouching }
        const event = await stage.build({ type: 'm.room.member', sender: newcomer, stateKey: newcomer, content })
        await stage.evil.send([event.json])
        assert.notEqual(await stage.status(event.id), 'accepted', vouching)
      }
      assert.equal(await stage.stateOf('m.room.member', newcomer), undefined)
    }))

  test('4.3.10: an invite from another user’s third-party invite is rejected, and a used one cannot be used again', () =>
    onStage(open, '11', async (stage) => {
      await stage.room.send(
        stage.alice.userId,
        'm.room.third_party_invite',
        { display_name: 'T', key_validity_url: 'https://x', public_key: 'AAAA', public_keys: [] },
        'token',
      )
      const signed = { mxid: '@new:evil.test', token: 'token', signatures: { 'id.test': { 'ed25519:0': 'AAAA' } } }
      for (const change of [{}, { token: 'other' }, { mxid: mallory }, { signatures: null }]) {
        const content = {
          membership: 'invite',
          third_party_invite: { display_name: 'T', signed: { ...signed, ...change } },
        } as JsonObject
        const event = await stage.build({ type: 'm.room.member', sender: mallory, stateKey: '@new:evil.test', content })
        await stage.evil.send([event.json])
        assert.notEqual(await stage.status(event.id), 'accepted')
      }
    }))

  test('Continuwuity 26.7.2: an old branch does not restore a membership that ended', () =>
    onStage(open, '12', async (stage) => {
      const extremities = await stage.evil.author.extremities(stage.room.roomId)
      const left = await stage.room.member(mallory, mallory, 'leave')
      for (let at = 0; at < 5; at++) {
        const event = await stage.build({ sender: bob, body: `old branch ${at}`, prevEvents: extremities })
        await stage.evil.send([event.json])
      }
      assert.equal(await stage.stateOf('m.room.member', mallory), left)
    }))
})
