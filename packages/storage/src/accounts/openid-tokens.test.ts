// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UserId } from '@myelin/matrix/ids'
import { onEveryDatabase } from '@myelin/testing/databases'
import { MAX_OPENID_TOKENS, openIdUser, putOpenIdToken } from './openid-tokens.ts'

const [alice, bob] = ['@alice:one.test', '@bob:one.test'] as [UserId, UserId]

onEveryDatabase('OpenID tokens', (open) => {
  test('are bounded per user: those that expire first go, others stay', async () => {
    const db = await open()
    await db.write(async (tx) => {
      await putOpenIdToken(tx, 'of bob', bob, 1000)
      for (let count = 0; count <= MAX_OPENID_TOKENS; count++) await putOpenIdToken(tx, `${count}`, alice, 1000 + count)
    })
    const owners = await Promise.all(
      ['0', '1', `${MAX_OPENID_TOKENS}`, 'of bob'].map((token) => openIdUser(db.read, token, 0)),
    )
    assert.deepEqual(owners, [undefined, alice, alice, bob])
    await db.close()
  })
})
