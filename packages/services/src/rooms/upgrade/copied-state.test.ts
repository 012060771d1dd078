// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '@myelin/matrix/json'
import { restrictedLevels } from './copied-state.ts'

const cases: readonly (readonly [string, JsonObject, JsonObject | undefined])[] = [
  ['levels that are not said', {}, { events_default: 50, invite: 50 }],
  ['a default of users above them', { users_default: 60 }, { users_default: 60, events_default: 61, invite: 61 }],
  ['one that is higher already', { invite: 90 }, { invite: 90, events_default: 50 }],
  ['one that is higher already, and a text', { invite: '90' }, { invite: 90, events_default: 50 }],
  ['a room that is quiet already', { invite: 50, events_default: '100' }, undefined],
]

for (const [name, before, after] of cases) {
  test(`an old room is made quiet, and never less so: ${name}`, () => {
    assert.deepEqual(restrictedLevels(before), after)
  })
}
