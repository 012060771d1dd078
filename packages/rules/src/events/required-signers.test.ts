// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventId } from '@myelin/matrix/ids'
import { alice, bob, event, memberEvent, versions } from '../fixtures/fixtures.ts'
import { requiredSigners } from './required-signers.ts'

const id = '$e:three.test' as EventId

test("an event is signed by its sender's server, in versions 1 and 2 also by that of its ID", () => {
  for (const version of versions) {
    const expected = Number(version.id) < 3 ? ['one.test', 'three.test'] : ['one.test']
    assert.deepEqual(requiredSigners(event({ type: 'm.room.message', id }), version), expected)
    assert.equal(requiredSigners(event({ type: 'm.room.message', id: '$e:one.test' as EventId }), version).length, 1)
  }
})

test('an answer to a third-party invite need not be signed by its sender', () => {
  for (const version of versions) {
    const answer = { ...memberEvent(alice, bob, 'invite', { third_party_invite: {} }), id }
    assert.deepEqual(requiredSigners(answer, version), Number(version.id) < 3 ? ['three.test'] : [])
    assert.ok(requiredSigners({ ...answer, type: 'm.room.message' }, version).includes('one.test' as never))
  }
})

test('a restricted join is signed by the server of the authorizing user, since version 8', () => {
  for (const version of versions) {
    const join = {
      ...memberEvent(bob, bob, 'join', { join_authorised_via_users_server: alice }),
      id: '$e:two.test' as EventId,
    }
    assert.deepEqual(requiredSigners(join, version), Number(version.id) < 8 ? ['two.test'] : ['two.test', 'one.test'])
    assert.deepEqual(requiredSigners({ ...join, content: { ...join.content, membership: 'leave' } }, version), [
      'two.test',
    ])
  }
})
