// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { onEveryDatabase } from '@myelin/testing/databases'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deleteUiaSession, deleteUiaSessionsBefore, putUiaSession, uiaSession } from './uia-sessions.ts'

const begun = {
  session: 'abc',
  operation: 'register',
  userId: '' as const,
  completed: [],
  parameters: { username: 'alice' },
  createdTs: 10,
}

onEveryDatabase('sessions of user-interactive authentication', (open) => {
  test('remember how far they are, and never what they are for', async () => {
    const db = await open()
    await db.write((tx) => putUiaSession(tx, begun))
    assert.deepEqual(await uiaSession(db.read, 'abc', 9), begun)
    const further = { ...begun, completed: ['m.login.dummy'], parameters: { username: 'bob', a: [1, null] } }
    await db.write((tx) =>
      putUiaSession(tx, { ...further, operation: 'other', userId: '@a:b' as UserId, createdTs: 99 }),
    )
    assert.deepEqual(await uiaSession(db.read, 'abc', 9), further)
    await db.close()
  })

  test('end by themselves or when they are done', async () => {
    const db = await open()
    await db.write(async (tx) => {
      await putUiaSession(tx, begun)
      await putUiaSession(tx, { ...begun, session: 'def', createdTs: 11 })
      await putUiaSession(tx, { ...begun, session: 'ghi', createdTs: 12 })
    })
    assert.equal(await uiaSession(db.read, 'abc', 10), undefined)
    await db.write((tx) => deleteUiaSessionsBefore(tx, 10))
    await db.write((tx) => deleteUiaSession(tx, 'def'))
    const left = await Promise.all(['abc', 'def', 'ghi'].map((session) => uiaSession(db.read, session, 0)))
    assert.deepEqual(
      left.map((session) => session?.session),
      [undefined, undefined, 'ghi'],
    )
    await db.close()
  })
})
