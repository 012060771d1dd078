// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { parseJson } from '@myelin/matrix/parse-json'
import type { Pdu } from '@myelin/matrix/pdu'
import { pduBytes, storedPdu } from './stored-pdu.ts'

const id = '$e' as EventId
const roomId = '!r:here' as RoomId

function pduWith(content: JsonObject): Pdu {
  const sender = '@a:here' as UserId
  const json = { auth_events: [], content, depth: 1, origin_server_ts: 2, prev_events: [], sender, type: 'x' }
  return { id, roomId, sender, type: 'x', content, prevEvents: [], authEvents: [], depth: 1, originServerTs: 2, json }
}

describe('the bytes of an event', () => {
  test('are read back as what they were made of', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }), (content) => {
        const pdu = pduWith(JSON.parse(JSON.stringify(content)) as JsonObject)
        assert.deepEqual(storedPdu(pduBytes(pdu), id, roomId), pdu)
      }),
    )
  })

  test('keep numbers spelled as they came, wherever they stand', () => {
    for (const text of ['{"a":1.0}', '{"a":[{"b":[5e0,-0,12345678901234567890]}]}', '{"a":{"b":0.50},"c":1}']) {
      const bytes = pduBytes(pduWith(parseJson(text, { keepNumbers: true }) as JsonObject))
      const { json } = storedPdu(bytes, id, roomId)
      assert.equal(JSON.stringify(json['content'] as Json), text)
    }
  })

  test('of a text that only looks like such numbers are plain JSON', () => {
    const pdu = pduWith({ body: '1.0 5e0 -0 12345678901234567890', half: 0.5 })
    assert.equal(Buffer.from(pduBytes(pdu)).toString(), JSON.stringify(pdu.json))
  })
})
