// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '@myelin/matrix/json'
import { buildPdu } from './events/build-pdu.ts'
import { contentHashMatches } from './events/content-hash.ts'
import { parsePdu } from './events/parse-pdu.ts'
import { isSignedBy } from './events/signing.ts'
import { draft, signer, versionOf, versions, versionsFrom } from './fixtures/fixtures.ts'
import { redactJson, redactPdu } from './redaction.ts'

const types = [
  'm.room.member',
  'm.room.create',
  'm.room.join_rules',
  'm.room.power_levels',
  'm.room.aliases',
  'm.room.history_visibility',
  'm.room.redaction',
  'm.room.message',
  'constructor',
  '__proto__',
]

/** The keys of the content that survive, by type, and the first and last version in which they do. */
const kept: readonly (readonly [type: string, key: string, first: number, last: number])[] = [
  ['m.room.member', 'membership', 1, 12],
  ['m.room.member', 'join_authorised_via_users_server', 9, 12],
  ['m.room.member', 'displayname', 13, 0],
  ['m.room.create', 'creator', 1, 12],
  ['m.room.create', 'room_version', 11, 12],
  ['m.room.create', 'anything', 11, 12],
  ['m.room.join_rules', 'join_rule', 1, 12],
  ['m.room.join_rules', 'allow', 8, 12],
  ['m.room.power_levels', 'users', 1, 12],
  ['m.room.power_levels', 'users_default', 1, 12],
  ['m.room.power_levels', 'events', 1, 12],
  ['m.room.power_levels', 'events_default', 1, 12],
  ['m.room.power_levels', 'state_default', 1, 12],
  ['m.room.power_levels', 'ban', 1, 12],
  ['m.room.power_levels', 'kick', 1, 12],
  ['m.room.power_levels', 'redact', 1, 12],
  ['m.room.power_levels', 'invite', 11, 12],
  ['m.room.power_levels', 'notifications', 13, 0],
  ['m.room.aliases', 'aliases', 1, 5],
  ['m.room.history_visibility', 'history_visibility', 1, 12],
  ['m.room.redaction', 'redacts', 11, 12],
  ['m.room.message', 'body', 13, 0],
  ['constructor', 'name', 13, 0],
]

describe('redaction', () => {
  for (const [type, key, first, last] of kept) {
    test(`keeps ${key} of ${type} ${last === 0 ? 'never' : `in versions ${first} to ${last}`}`, () => {
      for (const version of versions) {
        const { content } = redactJson({ type, content: { [key]: 'x' } }, version)
        const isKept = Number(version.id) >= first && Number(version.id) <= last
        assert.deepEqual(content, isKept ? { [key]: 'x' } : {}, version.id)
      }
    })
  }

  test('keeps what was signed of a third-party invite, and nothing beside it, since version 11', () => {
    const json = { type: 'm.room.member', content: { third_party_invite: { signed: { a: 1 }, display_name: 'x' } } }
    assert.deepEqual(redactJson(json, versionOf('10'))['content'], {})
    assert.deepEqual(redactJson(json, versionOf('11'))['content'], { third_party_invite: { signed: { a: 1 } } })
    for (const odd of [{}, { display_name: 'x' }, 'text', null]) {
      assert.deepEqual(
        redactJson({ type: 'm.room.member', content: { third_party_invite: odd } }, versionOf('11'))['content'],
        {},
      )
    }
  })

  test('keeps origin, membership and prev_state beside the content before version 11', () => {
    for (const version of versions) {
      const isOld = Number(version.id) < 11
      const json = redactJson(
        { origin: 'o', membership: 'm', prev_state: [], redacts: 'r', unsigned: {}, type: 't', other: 1 },
        version,
      )
      assert.deepEqual(Object.keys(json).sort(), isOld ? ['membership', 'origin', 'prev_state', 'type'] : ['type'])
    }
  })

  test('twice is once', () => {
    const content = fc.dictionary(fc.constantFrom(...new Set(kept.map(([, key]) => key)), '__proto__'), fc.jsonValue())
    fc.assert(
      fc.property(fc.constantFrom(...versions), fc.constantFrom(...types), content, (version, type, inner) => {
        const once = redactJson({ type, content: inner as JsonObject, sender: '@a:b', extra: 1 }, version)
        assert.deepEqual(redactJson(once, version), once)
      }),
    )
  })

  test('keeps the event ID and the signatures, but not the content hash', () => {
    for (const version of versions) {
      const pdu = buildPdu(draft(version), version, signer, () => '$new:one.test')
      const redacted = redactPdu(pdu, version)
      assert.equal(parsePdu(redacted.json, version).id, pdu.id)
      assert.equal(isSignedBy(redacted, version, 'one.test', 'ed25519:1', signer.key.publicKey), true)
      assert.equal(contentHashMatches(pdu.json), true)
      assert.equal(contentHashMatches(redacted.json), false)
      assert.deepEqual(redacted.content, {})
    }
  })

  test('of a redaction keeps its target only where that is part of the content', () => {
    const target = draft(versionOf('11')).prevEvents[0] ?? assert.fail()
    for (const version of versionsFrom(3)) {
      const pdu = buildPdu(draft(version, { type: 'm.room.redaction', redacts: target }), version, signer)
      assert.equal(parsePdu(pdu.json, version).redacts, target)
      assert.equal(redactPdu(pdu, version).redacts, Number(version.id) >= 11 ? target : undefined)
    }
  })
})
