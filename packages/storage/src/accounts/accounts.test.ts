// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { onEveryDatabase } from '@myelin/testing/databases'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { putAccountData } from './account-data.ts'
import {
  accountOf,
  closeAccount,
  erasedUsers,
  putAccount,
  putLocked,
  putPasswordHash,
  putSuspended,
} from './accounts.ts'
import { profileOf, putProfileField } from './profiles.ts'

const alice = '@alice:one.test' as UserId
const draft = { userId: alice, passwordHash: 'first', createdTs: 7, isAdmin: true, isGuest: false }
const made = { ...draft, isDeactivated: false, isErased: false, isLocked: false, isSuspended: false }

onEveryDatabase('accounts', (open) => {
  test('are made once, and a second maker changes nothing', async () => {
    const db = await open()
    assert.equal(await accountOf(db.read, alice), undefined)
    assert.equal(await db.write((tx) => putAccount(tx, draft)), true)
    assert.equal(await db.write((tx) => putAccount(tx, { ...draft, passwordHash: 'second' })), false)
    assert.deepEqual(await accountOf(db.read, alice), made)
    await db.close()
  })

  test('keep what is done to them', async () => {
    const db = await open()
    await db.write(async (tx) => {
      await putAccount(tx, draft)
      await putPasswordHash(tx, alice, 'second')
      await putLocked(tx, alice, true)
      await putSuspended(tx, alice, true)
    })
    const changed = { ...made, passwordHash: 'second', isLocked: true, isSuspended: true }
    assert.deepEqual(await accountOf(db.read, alice), changed)
    await db.write((tx) => putSuspended(tx, alice, false))
    await db.write((tx) => putLocked(tx, alice, false))
    assert.deepEqual(await accountOf(db.read, alice), { ...made, passwordHash: 'second' })
    await db.close()
  })

  test('close with what they kept, and stay erased once they are', async () => {
    const db = await open()
    await db.write(async (tx) => {
      await putAccount(tx, draft)
      await putProfileField(tx, alice, 'displayname', 'Alice')
      await putAccountData(tx, { userId: alice, roomId: '', type: 'org.example', content: { a: 1 } })
      await closeAccount(tx, alice, true)
      await closeAccount(tx, alice, false)
    })
    const closed = { ...made, passwordHash: null, isDeactivated: true, isErased: true }
    assert.deepEqual(await accountOf(db.read, alice), closed)
    assert.deepEqual({ ...(await profileOf(db.read, alice)) }, {})
    const bob = '@bob:one.test' as UserId
    await db.write(async (tx) => {
      await putAccount(tx, { ...draft, userId: bob })
      await closeAccount(tx, bob, false)
    })
    assert.deepEqual(await erasedUsers(db.read), new Set([alice]))
    await db.write((tx) => closeAccount(tx, bob, true))
    assert.deepEqual(await erasedUsers(db.read), new Set([alice, bob]))
    assert.equal(await db.write((tx) => putAccount(tx, draft)), false)
    await db.close()
  })
})
