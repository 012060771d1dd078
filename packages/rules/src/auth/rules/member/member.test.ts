// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { UserId } from '@myelin/matrix/ids'
import type { Json, JsonObject } from '@myelin/matrix/json'
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
  // invite
  ['an invite is allowed', alice, bob, 'invite', { members: { [alice]: 'join' } }, 'allowed'],
  [
    'an invite of the knocking is allowed',
    alice,
    bob,
    'invite',
    { members: { [alice]: 'join', [bob]: 'knock' } },
    'allowed',
  ],
  [
    'an invite by one who left is rejected',
    alice,
    bob,
    'invite',
    { members: { [alice]: 'leave' } },
    'invite.sender-not-joined',
  ],
  ['an invite of the joined is rejected', alice, bob, 'invite', { members: inRoom }, 'invite.target-joined'],
  [
    'an invite of the banned is rejected',
    alice,
    bob,
    'invite',
    { members: { [alice]: 'join', [bob]: 'ban' } },
    'invite.target-banned',
  ],
  [
    'an invite by the weak is rejected',
    carol,
    bob,
    'invite',
    { members: { [carol]: 'join' }, levels: { invite: 1 } },
    'invite.sender-too-weak',
  ],
  // leave, kick, unban
  ['leaving is allowed', bob, bob, 'leave', { members: inRoom }, 'allowed'],
  ['refusing an invite is allowed', bob, bob, 'leave', { members: { [bob]: 'invite' } }, 'allowed'],
  ['taking a knock back is allowed', bob, bob, 'leave', { members: { [bob]: 'knock' } }, 'allowed', 7],
  [
    'a knock cannot be taken back where there is none',
    bob,
    bob,
    'leave',
    { members: { [bob]: 'knock' } },
    'leave.not-in-room',
    1,
    6,
  ],
  ['leaving twice is rejected', bob, bob, 'leave', { members: { [bob]: 'leave' } }, 'leave.not-in-room'],
  ['leaving a ban is rejected', bob, bob, 'leave', { members: { [bob]: 'ban' } }, 'leave.not-in-room'],
  ['a kick is allowed', carol, bob, 'leave', { members: inRoom, power: { [carol]: 50 } }, 'allowed'],
  [
    'a kick of the invited is allowed',
    carol,
    bob,
    'leave',
    { members: { [carol]: 'join', [bob]: 'invite' }, power: { [carol]: 50 } },
    'allowed',
  ],
  [
    'a kick by one outside is rejected',
    carol,
    bob,
    'leave',
    { members: { [bob]: 'join' }, power: { [carol]: 50 } },
    'kick.sender-not-joined',
  ],
  [
    'a kick by the weak is rejected',
    carol,
    bob,
    'leave',
    { members: inRoom, power: { [carol]: 49 } },
    'kick.sender-too-weak',
  ],
  [
    'a kick of an equal is rejected',
    carol,
    bob,
    'leave',
    { members: inRoom, power: { [carol]: 50, [bob]: 50 } },
    'kick.target-too-strong',
  ],
  [
    'an unban is allowed',
    carol,
    bob,
    'leave',
    { members: { [carol]: 'join', [bob]: 'ban' }, power: { [carol]: 50 } },
    'allowed',
  ],
  [
    'an unban below the ban level is rejected',
    carol,
    bob,
    'leave',
    { members: { [carol]: 'join', [bob]: 'ban' }, power: { [carol]: 50 }, levels: { ban: 60 } },
    'unban.sender-too-weak',
  ],
  [
    'an unban below the kick level is rejected',
    carol,
    bob,
    'leave',
    { members: { [carol]: 'join', [bob]: 'ban' }, power: { [carol]: 50 }, levels: { kick: 60 } },
    'kick.sender-too-weak',
  ],
  // ban
  [
    'a ban by someone stronger is allowed',
    carol,
    bob,
    'ban',
    { members: inRoom, power: { [carol]: 50, [bob]: 49 } },
    'allowed',
  ],
  [
    'a ban of an equal is rejected',
    carol,
    bob,
    'ban',
    { members: inRoom, power: { [carol]: 50, [bob]: 50 } },
    'ban.target-too-strong',
  ],
  [
    'a ban below the ban level is rejected',
    carol,
    bob,
    'ban',
    { members: inRoom, power: { [carol]: 49 } },
    'ban.sender-too-weak',
  ],
  [
    'a ban by someone who left is rejected',
    carol,
    bob,
    'ban',
    { members: { [bob]: 'join' }, power: { [carol]: 50 } },
    'ban.sender-not-joined',
  ],
  [
    'a ban of someone already banned is allowed',
    carol,
    bob,
    'ban',
    { members: { [carol]: 'join', [bob]: 'ban' }, power: { [carol]: 50 } },
    'allowed',
  ],
  [
    'a ban of somebody never seen is allowed',
    carol,
    bob,
    'ban',
    { members: { [carol]: 'join' }, power: { [carol]: 50 } },
    'allowed',
  ],
  // knock
  ['a knock is allowed', bob, bob, 'knock', { joinRule: 'knock' }, 'allowed', 7],
  ['a second knock is allowed', bob, bob, 'knock', { joinRule: 'knock', members: { [bob]: 'knock' } }, 'allowed', 7],
  ['a knock is unknown', bob, bob, 'knock', { joinRule: 'knock' }, 'member.unknown-membership', 1, 6],
  ['a knock at a public room is rejected', bob, bob, 'knock', { joinRule: 'public' }, 'knock.not-open', 7],
  ['a knock at a room without join rules is rejected', bob, bob, 'knock', {}, 'knock.not-open', 7],
  ['a knock at knock_restricted is allowed', bob, bob, 'knock', { joinRule: 'knock_restricted' }, 'allowed', 10],
  [
    'a knock at knock_restricted is rejected',
    bob,
    bob,
    'knock',
    { joinRule: 'knock_restricted' },
    'knock.not-open',
    7,
    9,
  ],
  ['a knock for somebody else is rejected', alice, bob, 'knock', { joinRule: 'knock' }, 'knock.of-another-user', 7],
  [
    'a knock by the banned is rejected',
    bob,
    bob,
    'knock',
    { joinRule: 'knock', members: { [bob]: 'ban' } },
    'knock.already-known',
    7,
  ],
  [
    'a knock by the invited is rejected',
    bob,
    bob,
    'knock',
    { joinRule: 'knock', members: { [bob]: 'invite' } },
    'knock.already-known',
    7,
  ],
  [
    'a knock by the joined is rejected',
    bob,
    bob,
    'knock',
    { joinRule: 'knock', members: { [bob]: 'join' } },
    'knock.already-known',
    7,
  ],
  // the rest
  ['an unknown membership is rejected', bob, bob, 'lurk', { joinRule: 'public' }, 'member.unknown-membership'],
  ['a member who is no user is rejected', bob, 'bob', 'join', { joinRule: 'public' }, 'member.not-a-user'],
]

describe('a membership', () => {
  for (const [name, sender, target, membership, sketch, expected, first = 1, last = 12, content] of cases) {
    test(`${name} (versions ${first} to ${last})`, () => {
      for (const version of versions.filter(({ id }) => Number(id) >= first && Number(id) <= last)) {
        const verdict = authorize(memberEvent(sender, target, membership, content), stateOf(version, sketch))
        assert.equal(wordOf(verdict), expected, `version ${version.id}`)
      }
    })
  }

  test('needs a state key and a membership', () => {
    const state = stateOf(versionOf('11'), { joinRule: 'public' })
    const incomplete: readonly Json[] = [undefined, 5, null].map((membership) =>
      membership === undefined ? {} : { membership },
    )
    for (const content of incomplete) {
      assert.equal(
        wordOf(
          authorize(
            event({ type: 'm.room.member', stateKey: bob, sender: bob, content: content as JsonObject }),
            state,
          ),
        ),
        'member.incomplete',
      )
    }
    const message = event({ type: 'm.room.member', sender: bob, content: { membership: 'join' } })
    assert.equal(wordOf(authorize(message, state)), 'member.incomplete')
  })
})

function wordOf(verdict: Verdict): string {
  return verdict.allowed ? 'allowed' : verdict.rule
}
