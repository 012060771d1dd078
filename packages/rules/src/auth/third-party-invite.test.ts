// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodeBase64 } from '@myelin/matrix/base64'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { signBytes, signingKeyFromSeed, signJson } from '@myelin/matrix/signatures'
import { alice, bob, carol, event, memberEvent, type RoomSketch, stateOf, versions } from '../fixtures/fixtures.ts'
import { authorize } from './rules/authorize.ts'

const key = signingKeyFromSeed('0', Buffer.alloc(32, 3))
const other = signingKeyFromSeed('0', Buffer.alloc(32, 4))
const signed = signJson({ mxid: bob, token: 'T' }, 'id.test', key)

function invited(content: JsonObject = { public_key: encodeBase64(key.publicKey) }, room: RoomSketch = {}): RoomSketch {
  const invite = event({ type: 'm.room.third_party_invite', stateKey: 'T', sender: alice, content })
  return { members: { [alice]: 'join' }, ...room, others: [invite] }
}

describe('an invite that answers a third-party invite', () => {
  const good = { signed }
  const keys = (...all: Uint8Array[]): Json => all.map((each) => ({ public_key: encodeBase64(each) }))
  const cases: readonly (readonly [name: string, answer: Json, room: RoomSketch, expected: string])[] = [
    ['is allowed where its signature fits', good, invited(), 'allowed'],
    ['is allowed by any of the keys', good, invited({ public_keys: keys(other.publicKey, key.publicKey) }), 'allowed'],
    [
      'is allowed by a key in the URL-safe alphabet',
      good,
      invited({ public_key: Buffer.from(key.publicKey).toString('base64url') }),
      'allowed',
    ],
    ['is allowed by one who left', good, invited(undefined, { members: {} }), 'allowed'],
    ['is rejected for the banned', good, invited(undefined, { members: { [bob]: 'ban' } }), 'invite.target-banned'],
    ['is rejected where it is no object', 5, invited(), 'third-party-invite.not-signed'],
    ['is rejected where nothing is signed', {}, invited(), 'third-party-invite.not-signed'],
    ['is rejected without a token', { signed: { mxid: bob } }, invited(), 'third-party-invite.not-signed'],
    ['is rejected without a user', { signed: { token: 'T' } }, invited(), 'third-party-invite.not-signed'],
    [
      'is rejected for another user',
      { signed: signJson({ mxid: carol, token: 'T' }, 'id.test', key) },
      invited(),
      'third-party-invite.for-another-user',
    ],
    [
      'is rejected for another token',
      { signed: signJson({ mxid: bob, token: 'U' }, 'id.test', key) },
      invited(),
      'third-party-invite.unknown-token',
    ],
    [
      'is rejected by another key',
      good,
      invited({ public_key: encodeBase64(other.publicKey) }),
      'third-party-invite.bad-signature',
    ],
    [
      'is rejected where there is no key',
      good,
      invited({ public_keys: 5, public_key: 'short' }),
      'third-party-invite.bad-signature',
    ],
    [
      'is rejected where nobody signed',
      { signed: { mxid: bob, token: 'T' } },
      invited(),
      'third-party-invite.bad-signature',
    ],
    [
      'is rejected where what was signed changed',
      { signed: { ...signed, more: 1 } },
      invited(),
      'third-party-invite.bad-signature',
    ],
    [
      'is rejected where the key is of an unknown kind',
      { signed: { mxid: bob, token: 'T', signatures: { x: { 'rsa:1': sign() } } } },
      invited(),
      'third-party-invite.bad-signature',
    ],
  ]
  for (const [name, answer, room, expected] of cases) {
    test(`${name} in every version`, () => {
      for (const version of versions) {
        const verdict = authorize(
          memberEvent(alice, bob, 'invite', { third_party_invite: answer }),
          stateOf(version, room),
        )
        assert.equal(verdict.allowed ? 'allowed' : verdict.rule, expected)
      }
    })
  }

  test('is rejected from all senders except the inviter', () => {
    for (const version of versions) {
      const verdict = authorize(
        memberEvent(carol, bob, 'invite', { third_party_invite: good }),
        stateOf(version, invited()),
      )
      assert.deepEqual(verdict, { allowed: false, rule: 'third-party-invite.of-another-sender' })
    }
  })

  test('with hundreds of keys and signatures has only a few of them looked at', () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`ed25519:${at}`, sign()]))
    const room = invited({
      public_keys: keys(...Array.from({ length: 500 }, (_, at) => new Uint8Array(32).fill(at % 256))),
    })
    const answer = {
      signed: {
        mxid: bob,
        token: 'T',
        signatures: { 'id.test': { ...many, ...(signed['signatures'] as JsonObject) } },
      },
    }
    for (const version of versions) {
      assert.equal(
        authorize(memberEvent(alice, bob, 'invite', { third_party_invite: answer }), stateOf(version, room)).allowed,
        false,
      )
    }
  })
})

describe('a third-party invite', () => {
  const invite = event({ type: 'm.room.third_party_invite', stateKey: 'T', sender: bob })
  test('takes the invite level, and nothing else', () => {
    for (const version of versions) {
      const members = { [bob]: 'join' }
      const judged = (levels: JsonObject) => authorize(invite, stateOf(version, { members, levels }))
      assert.equal(judged({ state_default: 100 }).allowed, true)
      assert.deepEqual(judged({ invite: 1 }), { allowed: false, rule: 'third-party-invite.sender-too-weak' })
      assert.deepEqual(authorize(invite, stateOf(version)), { allowed: false, rule: 'send.not-joined' })
    }
  })
})

function sign(): string {
  return signBytes('something else', key)
}
