// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { EventId, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import {
  alice,
  bob,
  carol,
  event,
  memberEvent,
  type RoomSketch,
  stateOf,
  versions,
  versionOf,
} from '../../../fixtures/fixtures.ts'
import { authorize } from '../authorize.ts'
import type { Verdict } from '../../verdict.ts'

const inRoom = { [alice]: 'join', [bob]: 'join', [carol]: 'join' }

type Case = readonly [
  name: string,
  sender: UserId,
  target: string,
  membership: string,
  room: RoomSketch,
  expected: string,
  first?: number,
  last?: number,
  content?: JsonObject,
]

/** Each holds from one version to another; where none is named, in all. */
const cases: readonly Case[] = [
  ['a join of a public room is allowed', bob, bob, 'join', { joinRule: 'public' }, 'allowed'],
  [
    'a join of somebody else is rejected',
    alice,
    bob,
    'join',
    { members: inRoom, joinRule: 'public' },
    'join.of-another-user',
  ],
  [
    'a join by the banned is rejected',
    bob,
    bob,
    'join',
    { joinRule: 'public', members: { [bob]: 'ban' } },
    'join.banned',
  ],
  ['a join without join rules needs an invite', bob, bob, 'join', {}, 'join.not-invited'],
  ['a join of the uninvited is rejected', bob, bob, 'join', { joinRule: 'invite' }, 'join.not-invited'],
  [
    'a join of the invited is allowed',
    bob,
    bob,
    'join',
    { joinRule: 'invite', members: { [bob]: 'invite' } },
    'allowed',
  ],
  [
    'a change of profile of the joined is allowed',
    bob,
    bob,
    'join',
    { joinRule: 'invite', members: { [bob]: 'join' } },
    'allowed',
  ],
  [
    'a join of a private room is rejected even with an invite',
    bob,
    bob,
    'join',
    { joinRule: 'private', members: { [bob]: 'invite' } },
    'join.not-public',
  ],
  [
    'a join under an unknown rule is rejected',
    bob,
    bob,
    'join',
    { joinRule: 'friends', members: { [bob]: 'invite' } },
    'join.unknown-join-rule',
  ],
  [
    'a join of the knocking is rejected',
    bob,
    bob,
    'join',
    { joinRule: 'knock', members: { [bob]: 'knock' } },
    'join.not-invited',
    7,
  ],
  [
    'a join of the invited to a knock room is allowed',
    bob,
    bob,
    'join',
    { joinRule: 'knock', members: { [bob]: 'invite' } },
    'allowed',
    7,
  ],
  [
    'a join under knock is unknown',
    bob,
    bob,
    'join',
    { joinRule: 'knock', members: { [bob]: 'invite' } },
    'join.unknown-join-rule',
    1,
    6,
  ],
  [
    'a join under restricted is unknown',
    bob,
    bob,
    'join',
    { joinRule: 'restricted', members: { [bob]: 'invite' } },
    'join.unknown-join-rule',
    1,
    7,
  ],
  [
    'a join under knock_restricted is unknown',
    bob,
    bob,
    'join',
    { joinRule: 'knock_restricted', members: { [bob]: 'invite' } },
    'join.unknown-join-rule',
    1,
    9,
  ],
  [
    'a restricted join of the invited is allowed',
    bob,
    bob,
    'join',
    { joinRule: 'restricted', members: { [bob]: 'invite' } },
    'allowed',
    8,
  ],
  [
    'a restricted join that nobody vouches for is rejected',
    bob,
    bob,
    'join',
    { joinRule: 'restricted', members: inRoomWithout(bob) },
    'join.no-authorising-user',
    8,
  ],
  [
    'a restricted join with a authorisingUser who left is rejected',
    bob,
    bob,
    'join',
    { joinRule: 'restricted', members: { [alice]: 'leave' } },
    'join.authorising-user-not-joined',
    8,
    12,
    vouchedBy(alice),
  ],
  [
    'a restricted join with a authorisingUser who may not invite is rejected',
    bob,
    bob,
    'join',
    { joinRule: 'restricted', members: { [alice]: 'join', [carol]: 'join' }, levels: { invite: 50 } },
    'join.authorising-user-too-weak',
    8,
    12,
    vouchedBy(carol),
  ],
  [
    'a restricted join with a good authorisingUser is allowed',
    bob,
    bob,
    'join',
    { joinRule: 'restricted', members: { [carol]: 'join' }, power: { [carol]: 50 }, levels: { invite: 50 } },
    'allowed',
    8,
    12,
    vouchedBy(carol),
  ],
  [
    'a knock_restricted join with a good authorisingUser is allowed',
    bob,
    bob,
    'join',
    { joinRule: 'knock_restricted', members: { [alice]: 'join' } },
    'allowed',
    10,
    12,
    vouchedBy(alice),
  ],
  [
    'a join with a authorisingUser who is no user is rejected',
    bob,
    bob,
    'join',
    { joinRule: 'public' },
    'member.authorising-user-not-a-user',
    8,
    12,
    { join_authorised_via_users_server: 5 },
  ],
  [
    'a join with a authorisingUser means nothing yet',
    bob,
    bob,
    'join',
    { joinRule: 'public' },
    'allowed',
    1,
    7,
    { join_authorised_via_users_server: 5 },
  ],
]

describe('joining', () => {
  for (const [name, sender, target, membership, sketch, expected, first = 1, last = 12, content] of cases) {
    test(`${name} (versions ${first} to ${last})`, () => {
      for (const version of versions.filter(({ id }) => Number(id) >= first && Number(id) <= last)) {
        const verdict = authorize(memberEvent(sender, target, membership, content), stateOf(version, sketch))
        assert.equal(wordOf(verdict), expected, `version ${version.id}`)
      }
    })
  }
})

describe("the creator's first join", () => {
  const first = (sender: UserId, target: UserId, prevEvents: readonly string[]) =>
    event({
      type: 'm.room.member',
      sender,
      stateKey: target,
      content: { membership: 'join' },
      prevEvents: prevEvents as EventId[],
    })

  test('needs no invite right after the create event, and only there', () => {
    for (const version of versions) {
      const state = stateOf(version, { levels: null })
      const create = state.get('m.room.create')?.id ?? assert.fail()
      assert.equal(wordOf(authorize(first(alice, alice, [create]), state)), 'allowed')
      assert.equal(wordOf(authorize(first(alice, alice, [create, '$other']), state)), 'join.not-invited')
      assert.equal(wordOf(authorize(first(alice, alice, ['$other']), state)), 'join.not-invited')
      assert.equal(wordOf(authorize(first(alice, alice, []), state)), 'join.not-invited')
      assert.equal(wordOf(authorize(first(bob, bob, [create]), state)), 'join.not-invited')
    }
  })

  test('is of the user named as creator before version 11, of the sender since', () => {
    for (const version of versions) {
      const state = stateOf(version, { levels: null, create: { creator: bob } })
      const create = state.get('m.room.create')?.id ?? assert.fail()
      const isSender = Number(version.id) >= 11
      assert.equal(wordOf(authorize(first(bob, bob, [create]), state)), isSender ? 'join.not-invited' : 'allowed')
      assert.equal(wordOf(authorize(first(alice, alice, [create]), state)), isSender ? 'allowed' : 'join.not-invited')
    }
  })

  test('is not given to additional creators, who need an invite', () => {
    const state = stateOf(versionOf('12'), { levels: null, create: { additional_creators: [bob] } })
    const create = state.get('m.room.create')?.id ?? assert.fail()
    assert.equal(wordOf(authorize(first(bob, bob, [create]), state)), 'join.not-invited')
  })
})

function wordOf(verdict: Verdict): string {
  return verdict.allowed ? 'allowed' : verdict.rule
}

function inRoomWithout(user: string): Record<string, string> {
  return Object.fromEntries(Object.entries(inRoom).filter(([each]) => each !== user))
}

function vouchedBy(user: string): JsonObject {
  return { join_authorised_via_users_server: user }
}
