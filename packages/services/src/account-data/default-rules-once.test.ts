// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { AuthState } from '@myelin/rules/auth/auth-state'
import { stateKey } from '@myelin/rules/auth/state-key'
import { defaultRules } from '@myelin/rules/push/default-rules'
import { evaluate } from '@myelin/rules/push/evaluate'
import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeNotification } from '../rooms/append/notification.ts'
import { roomVersionOf } from '../room-state/versions.ts'

const room = '!room:one.test' as RoomId
const alice = '@alice:one.test' as UserId
const bob = '@bob:one.test' as UserId
const version = roomVersionOf('11')

function event(fields: { type: string; content: JsonObject; stateKey?: string; sender?: UserId }): Pdu {
  const { sender = alice, stateKey: key } = fields
  const json = { ...fields, sender, ...(key === undefined ? {} : { state_key: key }) }
  const rest = { id: '$e' as EventId, roomId: room, prevEvents: [], authEvents: [], depth: 1, originServerTs: 0 }
  return { ...rest, ...fields, sender, json }
}

/** A room in which it takes 50 to notify everybody. */
function stateWith(power: number): AuthState {
  const create = event({ type: 'm.room.create', stateKey: '', content: {} })
  const levels = event({ type: 'm.room.power_levels', stateKey: '', content: { users: { [alice]: power } } })
  const events = [create, levels].map((each) => [stateKey(each.type, ''), each] as const)
  return new AuthState(version, new Map(events))
}

const name = fc.constantFrom('user_ids', 'room', 'rel_type', 'other')
const loose = fc.oneof(
  fc.constantFrom(true, false, null, 'm.replace', 'm.thread', 1),
  fc.array(fc.constantFrom<string | number>(alice, bob, '@bob', 5), { maxLength: 3 }),
)
const object = fc.oneof(fc.dictionary(name, loose, { noNullPrototype: true }), loose)
const events = fc.record(
  {
    type: fc.constantFrom(
      'm.room.message',
      'm.room.encrypted',
      'm.room.member',
      'm.room.tombstone',
      'm.room.server_acl',
      'm.reaction',
      'm.call.invite',
      'm.sticker',
      'm.room.redaction',
    ),
    stateKey: fc.option(fc.constantFrom('', alice, 'x'), { nil: undefined }),
    content: fc.record(
      {
        msgtype: fc.constantFrom('m.text', 'm.notice', 5),
        body: fc.constantFrom('hello @room', 'bob'),
        membership: fc.constantFrom('join', 'invite', 'leave'),
        'm.mentions': object,
        'm.relates_to': object,
      },
      { requiredKeys: [], noNullPrototype: true },
    ),
  },
  { noNullPrototype: true },
)

test('evaluating an event once for all members gives each the result of the default rules', () => {
  const rules = { [alice]: defaultRules(alice), [bob]: defaultRules(bob) }
  fc.assert(
    fc.property(events, fc.constantFrom(0, 49, 50, 100), fc.constantFrom(2, 3), (drawn, power, memberCount) => {
      const { stateKey: key, ...rest } = drawn
      const sent = event({
        ...(rest as { type: string; content: JsonObject }),
        ...(key === undefined ? {} : { stateKey: key }),
      })
      const state = stateWith(power)
      const { notifies, highlights } = judgeNotification(sent, state)
      for (const user of [alice, bob] as const) {
        const notificationLevel = (kind: string) => state.powerLevels.toNotify(kind)
        const context = { userId: user, memberCount, senderPower: state.powerOf(sent.sender), notificationLevel }
        const outcome = evaluate(rules[user] ?? defaultRules(user), sent, context)
        const isNamed = highlights.includes(user)
        const isOther = user !== sent.sender
        assert.equal(isOther && (notifies !== 'no' || isNamed), outcome.notify, `notify ${user}`)
        assert.equal(isOther && (notifies === 'highlight' || isNamed), outcome.highlight, `highlight ${user}`)
      }
    }),
    { numRuns: 5000 },
  )
})
