// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { Json } from '@myelin/matrix/json'
import { onEveryDatabase } from '@myelin/testing/databases'
import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deleteProfileField, profileOf, putProfileField } from './profiles.ts'

onEveryDatabase('profiles', (open) => {
  test('behave like a map from user and field to a value', async () => {
    const step = fc.record({
      user: fc.constantFrom('@alice:one.test' as UserId, '@bob:one.test' as UserId),
      field: fc.constantFrom('displayname', '__proto__', 'constructor'),
      value: fc.oneof(fc.constant(undefined), fc.jsonValue()),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const db = await open()
        const model = new Map<string, Map<string, Json>>()
        for (const { user, field, value } of steps) {
          const fields = model.get(user) ?? new Map<string, Json>()
          model.set(user, fields)
          await db.write(async (tx) => {
            if (value === undefined) await deleteProfileField(tx, user, field)
            else await putProfileField(tx, user, field, value as Json)
          })
          if (value === undefined) fields.delete(field)
          else fields.set(field, JSON.parse(JSON.stringify(value)) as Json)
        }
        for (const [user, fields] of model) {
          const profile = await profileOf(db.read, user as UserId)
          assert.deepEqual(new Map(Object.entries(profile)), fields)
        }
        await db.close()
      }),
      { numRuns: 8 },
    )
  })
})
