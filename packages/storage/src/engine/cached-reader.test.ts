// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UserId } from '@myelin/matrix/ids'
import { onEveryDatabase } from '@myelin/testing/databases'
import { accountOf, isSuspended, putAccount, putSuspended } from '../accounts/accounts.ts'
import { putPushRules, storedPushRules } from '../accounts/push-rules.ts'

const alice = '@alice:one.test' as UserId

onEveryDatabase('a cached read', (open) => {
  test('is read again after it was written, and not before', async () => {
    const db = await open()
    await db.write((tx) => putPushRules(tx, alice, 'first'))
    assert.equal(await storedPushRules(db.read, alice), 'first')
    assert.equal(await storedPushRules({ ...db.read, run: () => assert.fail('read again') }, alice), 'first')
    await db.write((tx) => putPushRules(tx, alice, 'second'))
    assert.equal(await storedPushRules(db.read, alice), 'second')
    await db.close()
  })

  test('is not cached inside a unit that is rolled back', async () => {
    const db = await open()
    const account = { userId: alice, passwordHash: null, createdTs: 0, isAdmin: false, isGuest: false }
    await db.write((tx) => putAccount(tx, account))
    const changesItsMind = db.write(async (tx) => {
      await putSuspended(tx, alice, true)
      assert.equal(await isSuspended(tx, alice), true)
      throw new Error('changed my mind')
    })
    await assert.rejects(changesItsMind, /changed my mind/)
    assert.equal(await isSuspended(db.read, alice), false)
    assert.equal((await accountOf(db.read, alice))?.isSuspended, false)
    await db.write((tx) => putSuspended(tx, alice, true))
    assert.equal(await isSuspended(db.read, alice), true)
    await db.close()
  })
})
