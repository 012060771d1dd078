// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventId } from '@myelin/matrix/ids'
import fc from 'fast-check'
import { eventIdBytes, eventIdOf } from './event-ids.ts'

test('an event id of any room version is read back as it was stored', () => {
  const hash = fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => `$${Buffer.from(bytes).toString('base64url')}`)
  const old = fc
    .uint8Array({ minLength: 32, maxLength: 32 })
    .map((bytes) => `$${Buffer.from(bytes).toString('base64').slice(0, 43)}`)
  const chosen = fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }).map((text) => `$${text}:one.test`)
  fc.assert(
    fc.property(
      fc.oneof(hash, old, chosen, fc.constant(`$${'a'.repeat(43)}`), fc.constant(`$${'a'.repeat(29)}`)),
      (id) => {
        assert.equal(eventIdOf(eventIdBytes(id as EventId)), id)
      },
    ),
  )
})

test('different event ids are stored as different bytes', () => {
  const id = fc.string({ maxLength: 45 }).map((text) => `$${text}` as EventId)
  fc.assert(
    fc.property(id, id, (a, b) => {
      assert.equal(Buffer.compare(eventIdBytes(a), eventIdBytes(b)) === 0, a === b)
    }),
  )
})
