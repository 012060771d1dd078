// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { MatrixError } from '@myelin/matrix/errors'
import type { JsonObject } from '@myelin/matrix/json'
import { parseJson } from '@myelin/matrix/parse-json'
import { draft, signer, versionOf, versions, versionsFrom } from '../fixtures/fixtures.ts'
import type { RoomVersion } from '../room-versions.ts'
import { buildPdu } from './build-pdu.ts'
import { parsePdu } from './parse-pdu.ts'

function goodJson(version: RoomVersion): JsonObject {
  return buildPdu(draft(version, { stateKey: '' }), version, signer, () => '$new:one.test').json
}

function refusalOf(json: JsonObject, version: RoomVersion): string | undefined {
  try {
    parsePdu(json, version)
    return undefined
  } catch (error) {
    if (error instanceof MatrixError) return error.code
    throw error
  }
}

const id = `$${'e'.repeat(43)}`
const pair = ['$e:one.test', { sha256: 'x' }]

describe('parsing an event', () => {
  const faults: readonly (readonly [name: string, fields: JsonObject, code: string])[] = [
    ['a sender that is no text', { sender: 5 }, 'M_INVALID_PARAM'],
    ['a sender that is no user', { sender: 'alice' }, 'M_INVALID_PARAM'],
    ['a sender that is too long', { sender: `@${'a'.repeat(250)}:b.test` }, 'M_INVALID_PARAM'],
    ['a room that is no room', { room_id: 'room' }, 'M_INVALID_PARAM'],
    ['a room that is no text', { room_id: ['!a:b'] }, 'M_INVALID_PARAM'],
    ['a type that is no text', { type: null }, 'M_BAD_JSON'],
    ['a type that is too long', { type: 'x'.repeat(256) }, 'M_TOO_LARGE'],
    ['a state key that is no text', { state_key: 5 }, 'M_BAD_JSON'],
    ['a state key that is null', { state_key: null }, 'M_BAD_JSON'],
    ['a state key that is too long', { state_key: 'x'.repeat(256) }, 'M_TOO_LARGE'],
    ['a content that is a list', { content: [] }, 'M_BAD_JSON'],
    ['a content that is null', { content: null }, 'M_BAD_JSON'],
    ['hashes that are a text', { hashes: 'x' }, 'M_BAD_JSON'],
    ['hashes without SHA-256', { hashes: {} }, 'M_BAD_JSON'],
    ['signatures that are a list', { signatures: [] }, 'M_BAD_JSON'],
    ['signatures of a server that are a text', { signatures: { a: 'x' } }, 'M_BAD_JSON'],
    ['a signature that is a number', { signatures: { a: { 'ed25519:1': 1 } } }, 'M_BAD_JSON'],
    ['a depth that is a text', { depth: '1' }, 'M_BAD_JSON'],
    ['a depth below zero', { depth: -1 }, 'M_BAD_JSON'],
    ['a depth that is half a step', { depth: 1.5 }, 'M_BAD_JSON'],
    ['a time that is a text', { origin_server_ts: 'now' }, 'M_BAD_JSON'],
    ['prev_events that are an object', { prev_events: {} }, 'M_BAD_JSON'],
    ['prev_events that name a number', { prev_events: [5] }, 'M_BAD_JSON'],
    ['auth_events that name nothing', { auth_events: [null] }, 'M_BAD_JSON'],
    ['an event ID that is too long', { auth_events: [`$${'x'.repeat(255)}`] }, 'M_BAD_JSON'],
    ['more than 65536 bytes', { content: { body: 'ü'.repeat(32768) } }, 'M_TOO_LARGE'],
  ]
  for (const [name, fields, code] of faults) {
    test(`refuses ${name}`, () => {
      for (const version of versions)
        assert.equal(refusalOf({ ...goodJson(version), ...fields }, version), code, version.id)
    })
  }

  test('counts a long type or state key in bytes, in older versions in code points', () => {
    for (const version of versions) {
      for (const key of ['type', 'state_key']) {
        const refusal = refusalOf({ ...goodJson(version), [key]: 'ü'.repeat(200) }, version)
        assert.equal(refusal, version.countsCodePoints ? undefined : 'M_TOO_LARGE', version.id)
        assert.equal(refusalOf({ ...goodJson(version), [key]: 'ü'.repeat(256) }, version), 'M_TOO_LARGE', version.id)
      }
    }
  })

  test('needs every member but the state key', () => {
    for (const version of versions) {
      const json = goodJson(version)
      for (const key of Object.keys(json)) {
        const { [key]: _left, ...rest } = json
        const isNeeded = refusalOf(rest, version) !== undefined
        assert.equal(isNeeded, key !== 'state_key', `${key} in version ${version.id}`)
      }
    }
  })

  test('takes at most 20 prev_events and 10 auth_events, and more from a backfill', () => {
    for (const [key, most] of [
      ['prev_events', 20],
      ['auth_events', 10],
    ] as const) {
      for (const version of versions) {
        const entry = version.eventIds === 'chosen by server' ? pair : id
        const naming = (count: number): JsonObject => ({
          ...goodJson(version),
          [key]: Array.from({ length: count }, () => entry),
        })
        const many = naming(most + 1)
        assert.equal(refusalOf(naming(most), version), undefined)
        assert.equal(refusalOf(many, version), 'M_INVALID_PARAM')
        assert.equal(
          parsePdu(many, version, { isBackfill: true })[key === 'prev_events' ? 'prevEvents' : 'authEvents'].length,
          most + 1,
        )
      }
    }
  })

  test('wants pairs in versions 1 and 2, plain IDs since version 3, and never a mixture', () => {
    for (const version of versions) {
      const wantsPairs = Number(version.id) < 3
      assert.equal(
        refusalOf({ ...goodJson(version), prev_events: [id] }, version),
        wantsPairs ? 'M_BAD_JSON' : undefined,
      )
      assert.equal(
        refusalOf({ ...goodJson(version), prev_events: [pair] }, version),
        wantsPairs ? undefined : 'M_BAD_JSON',
      )
      for (const odd of [['$e:one.test'], ['$e:one.test', 'x'], ['$e:one.test', { sha256: 'x' }, 1]]) {
        assert.equal(refusalOf({ ...goodJson(version), prev_events: [odd] }, version), 'M_BAD_JSON')
      }
      // Deployed servers leave hashes out that they do not know.
      const bare = { ...goodJson(version), prev_events: [['$e:one.test', {}]] }
      assert.equal(refusalOf(bare, version), wantsPairs ? undefined : 'M_BAD_JSON')
    }
  })

  test('wants an event ID with a domain in versions 1 and 2', () => {
    for (const version of versionsFrom(1, 2)) {
      for (const bad of ['x', id, 5, null]) {
        assert.equal(refusalOf({ ...goodJson(version), event_id: bad } as JsonObject, version), 'M_INVALID_PARAM')
      }
    }
  })

  test('takes floats and deep depths before version 6 only', () => {
    for (const version of versions) {
      const isStrict = Number(version.id) >= 6
      const text = JSON.stringify(goodJson(version)).replace('"depth":5', '"depth":9007199254740993')
      const deep = parseJson(text, { keepNumbers: true }) as JsonObject
      assert.equal(refusalOf(deep, version), isStrict ? 'M_BAD_JSON' : undefined)
      assert.equal(
        refusalOf({ ...goodJson(version), content: { x: 0.5 } }, version),
        isStrict ? 'M_BAD_JSON' : undefined,
      )
    }
  })

  test('leaves unsigned out, and keeps what it does not know', () => {
    for (const version of versions) {
      const { json } = parsePdu({ ...goodJson(version), unsigned: { age: 5 }, other: [1] }, version)
      assert.equal(Object.hasOwn(json, 'unsigned'), false)
      assert.deepEqual(json['other'], [1])
    }
  })

  test('lets only a create event of version 12 go without a room ID', () => {
    for (const version of versions) {
      const { room_id: _left, ...rest } = goodJson(version)
      const create = { ...rest, type: 'm.room.create' }
      assert.equal(refusalOf(create, version), version.id === '12' ? undefined : 'M_INVALID_PARAM')
      const message = Object.fromEntries(Object.entries(create).filter(([key]) => key !== 'state_key'))
      assert.equal(refusalOf(message, version), 'M_INVALID_PARAM')
    }
  })

  test('reads the target of a redaction where its version keeps it', () => {
    for (const version of versions) {
      const both = {
        ...goodJson(version),
        type: 'm.room.redaction',
        redacts: '$beside',
        content: { redacts: '$inside' },
      }
      assert.equal(parsePdu(both, version).redacts, Number(version.id) >= 11 ? '$inside' : '$beside')
      assert.equal(parsePdu({ ...both, type: 'm.room.message' }, version).redacts, undefined)
    }
    assert.equal(refusalOf({ ...goodJson(versionOf('10')), redacts: 5 }, versionOf('10')), 'M_BAD_JSON')
  })

  test('answers or refuses, whatever JSON arrives', () => {
    const keys = Object.keys(goodJson(versionOf('1')))
    fc.assert(
      fc.property(
        fc.constantFrom(...versions),
        fc.dictionary(fc.constantFrom(...keys, 'unsigned', '__proto__'), fc.jsonValue()),
        (version, fields) => {
          refusalOf({ ...goodJson(version), ...fields } as JsonObject, version)
          refusalOf(fields as JsonObject, version)
        },
      ),
      { numRuns: 1000 },
    )
  })
})
