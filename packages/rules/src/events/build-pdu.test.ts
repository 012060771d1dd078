// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { decodeBase64 } from '@myelin/matrix/base64'
import { canonicalJson } from '@myelin/matrix/canonical-json'
import { MatrixError } from '@myelin/matrix/errors'
import type { EventId, RoomId } from '@myelin/matrix/ids'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { parseJson } from '@myelin/matrix/parse-json'
import { signBytes, signingKeyFromSeed } from '@myelin/matrix/signatures'
import { alice, draft, signer, versionOf, versions, versionsFrom } from '../fixtures/fixtures.ts'
import { buildPdu, type PduDraft } from './build-pdu.ts'
import { contentHash, contentHashMatches } from './content-hash.ts'
import { createOfRoomId, referenceHash } from './event-id.ts'
import { parsePdu } from './parse-pdu.ts'
import { addSignature, isSignedBy, signedFormOf } from './signing.ts'
import { parseStoredPdu } from './stored-pdu.ts'

const chooseId = (): string => '$chosen:one.test'
const content = fc.dictionary(fc.string(), fc.oneof(fc.string({ unit: 'binary' }), fc.maxSafeInteger(), fc.boolean()), {
  maxKeys: 5,
})

describe('the event signing of the spec', () => {
  const key = signingKeyFromSeed('1', decodeBase64('YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1') ?? assert.fail())
  const vectors: readonly (readonly [name: string, json: JsonObject, hash: string, signature: string])[] = [
    [
      'a minimal event',
      {
        room_id: '!x:domain',
        sender: '@a:domain',
        origin: 'domain',
        origin_server_ts: 1000000,
        signatures: {},
        hashes: {},
        type: 'X',
        content: {},
        prev_events: [],
        auth_events: [],
        depth: 3,
        unsigned: { age_ts: 1000000 },
      },
      '5jM4wQpv6lnBo7CLIghJuHdW+s2CMBJPUOGOC89ncos',
      'KxwGjPSDEtvnFgU00fwFz+l6d2pJM6XBIaMEn81SXPTRl16AqLAYqfIReFGZlHi5KLjAWbOoMszkwsQma+lYAg',
    ],
    [
      'an event with content that can be redacted',
      {
        content: { body: 'Here is the message content' },
        event_id: '$0:domain',
        origin: 'domain',
        origin_server_ts: 1000000,
        type: 'm.room.message',
        room_id: '!r:domain',
        sender: '@u:domain',
        signatures: {},
        unsigned: { age_ts: 1000000 },
      },
      'onLKD1bGljeBWQhWZ1kaP9SorVmRQNdN5aM2JYU2n/g',
      'Wm+VzmOUOz08Ds+0NTWb1d4CZrVsJSikkeRxh6aCcUwu6pNC78FunoD7KNWzqFn241eYHYMGCA5McEiVPdhzBA',
    ],
  ]
  for (const [name, json, hash, signature] of vectors) {
    test(`gives ${name} its hash and its signature`, () => {
      assert.equal(contentHash(json), hash)
      assert.equal(signBytes(signedFormOf({ ...json, hashes: { sha256: hash } }, versionOf('1')), key), signature)
    })
  }
})

describe('building an event', () => {
  test('gives what others parse, with the same ID, hashed and signed, in every version', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...versions),
        content,
        fc.option(fc.string({ maxLength: 20 })),
        (version, inner, stateKey) => {
          const pdu = buildPdu(
            draft(version, { content: inner, ...(stateKey === null ? {} : { stateKey }) }),
            version,
            signer,
            chooseId,
          )
          const parsed = parsePdu(parseJson(canonicalJson(pdu.json)) as JsonObject, version)
          assert.deepEqual(JSON.parse(JSON.stringify(parsed)), JSON.parse(JSON.stringify(pdu)))
          assert.equal(contentHashMatches(parsed.json), true)
          assert.equal(isSignedBy(parsed, version, 'one.test', 'ed25519:1', signer.key.publicKey), true)
        },
      ),
    )
  })

  test('orders its members as canonical JSON does', () => {
    for (const version of versions) {
      const { json } = buildPdu(draft(version), version, signer, chooseId)
      assert.deepEqual(Object.keys(json), Object.keys(JSON.parse(canonicalJson(json)) as JsonObject))
    }
  })

  test('makes IDs from the reference hash since version 3, URL-safe since version 4', () => {
    for (const version of versionsFrom(3)) {
      const pdu = buildPdu(draft(version), version, signer)
      const hash = referenceHash(pdu.json, version)
      assert.equal(pdu.id, version.id === '3' ? `$${hash}` : `$${hash.replaceAll('+', '-').replaceAll('/', '_')}`)
    }
  })

  test('writes references with their hashes in versions 1 and 2, and needs them', () => {
    for (const version of versionsFrom(1, 2)) {
      const pdu = buildPdu(draft(version), version, signer, chooseId)
      assert.equal(pdu.id, '$chosen:one.test')
      assert.deepEqual(pdu.json['prev_events'], [['$before:one.test', { sha256: 'h'.repeat(43) }]])
      assert.throws(() => buildPdu({ ...draft(version), hashes: new Map() }, version, signer, chooseId), TypeError)
      assert.throws(() => buildPdu(draft(version), version, signer), TypeError)
    }
  })

  test('makes the room of version 12 out of its create event', () => {
    const version = versionOf('12')
    const { roomId: _none, ...create } = draft(version, {
      type: 'm.room.create',
      stateKey: '',
      prevEvents: [],
      authEvents: [],
    })
    const pdu = buildPdu(create, version, signer)
    assert.equal(pdu.roomId, `!${pdu.id.slice(1)}`)
    assert.equal(createOfRoomId(pdu.roomId), pdu.id)
    assert.equal(Object.hasOwn(pdu.json, 'room_id'), false)
    assert.equal(parsePdu(pdu.json, version).roomId, pdu.roomId)
  })

  test('refuses what cannot be an event', () => {
    const version = versionOf('11')
    const refusals: readonly (readonly [Partial<PduDraft>, string])[] = [
      [{ content: { body: 'x'.repeat(65536) } }, 'M_TOO_LARGE'],
      [{ content: { body: 'ü'.repeat(33000) } }, 'M_TOO_LARGE'],
      [{ type: 'ü'.repeat(128) }, 'M_TOO_LARGE'],
      [{ stateKey: 'x'.repeat(256) }, 'M_TOO_LARGE'],
      [{ content: { level: 0.5 } }, 'M_BAD_JSON'],
      [{ content: { level: 2 ** 60 } }, 'M_BAD_JSON'],
    ]
    for (const [fields, code] of refusals) {
      assert.throws(
        () => buildPdu(draft(version, fields), version, signer),
        (error) => error instanceof MatrixError && error.code === code,
      )
    }
  })

  test('measures the event with its signature: one byte decides', () => {
    const version = versionOf('11')
    const sizeOf = (body: string): number =>
      Buffer.byteLength(canonicalJson(buildPdu(draft(version, { content: { body } }), version, signer).json))
    const room = 65536 - sizeOf('')
    assert.equal(sizeOf('x'.repeat(room)), 65536)
    assert.throws(() => sizeOf('x'.repeat(room + 1)), MatrixError)
  })
})

describe('an event', () => {
  test('loses its signature with any flipped bit, or is redacted without losing it', () => {
    const version = versionOf('11')
    const pdu = buildPdu(draft(version), version, signer)
    const bytes = Buffer.from(JSON.stringify(pdu.json))
    // Of the last character of a signature four bits stand for nothing.
    const spare = bytes.indexOf('"}}', bytes.indexOf('"signatures"')) - 1
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        fc.pre(bit >> 3 !== spare)
        const flipped = Buffer.from(bytes)
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        let isSame: boolean
        try {
          const back = parsePdu(parseJson(flipped.toString()) as JsonObject, version)
          const isSigned = isSignedBy(back, version, 'one.test', 'ed25519:1', signer.key.publicKey)
          isSame = isSigned && back.id === pdu.id && contentHashMatches(back.json)
        } catch (error) {
          assert.ok(error instanceof MatrixError)
          isSame = false
        }
        assert.equal(isSame, false)
      }),
      { numRuns: 300 },
    )
  })

  test('takes a second signature beside the first', () => {
    const second = {
      serverName: 'two.test' as typeof signer.serverName,
      key: signingKeyFromSeed('b', Buffer.alloc(32, 9)),
    }
    for (const version of versions) {
      const pdu = addSignature(buildPdu(draft(version), version, signer, chooseId), version, second)
      assert.equal(isSignedBy(pdu, version, 'one.test', 'ed25519:1', signer.key.publicKey), true)
      assert.equal(isSignedBy(pdu, version, 'two.test', 'ed25519:b', second.key.publicKey), true)
      assert.equal(parsePdu(pdu.json, version).id, pdu.id)
    }
  })

  test('comes out of the database as it went in', () => {
    for (const version of versions) {
      const pdu = buildPdu(
        draft(version, { type: 'm.room.redaction', redacts: '$x:y' as EventId, stateKey: '' }),
        version,
        signer,
        chooseId,
      )
      assert.deepEqual(
        parseStoredPdu(JSON.parse(JSON.stringify(pdu.json)) as JsonObject, pdu.id, pdu.roomId, version),
        pdu,
      )
      assert.equal(parseStoredPdu(pdu.json, pdu.id, pdu.roomId).redacts, '$x:y')
    }
  })

  test('of an old room keeps its floats, and its hash with them', () => {
    const text = '{"a":1.0,"b":[5e0,0.50]}'
    const inner = parseJson(text, { keepNumbers: true }) as Json
    const version = versionOf('5')
    const pdu = buildPdu(draft(version, { content: { inner } }), version, signer)
    assert.ok(JSON.stringify(pdu.json).includes(text))
    const back = parsePdu(parseJson(JSON.stringify(pdu.json), { keepNumbers: true }) as JsonObject, version)
    assert.equal(contentHashMatches(back.json), true)
    assert.equal(contentHashMatches(JSON.parse(JSON.stringify(pdu.json)) as JsonObject), false)
    assert.throws(() => parsePdu(back.json, versionOf('6')), MatrixError)
  })

  test('of a forged room does not become one of ours', () => {
    const version = versionOf('12')
    const pdu = buildPdu(draft(version, { sender: alice, roomId: '!r:one.test' as RoomId }), version, signer)
    assert.equal(parsePdu(pdu.json, version).roomId, '!r:one.test')
  })
})
