// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import { onEveryDatabase } from '@myelin/testing/databases'
import { dropOldRulings, policyEntry, policyRuling, putPolicyEntry, putPolicyRuling } from './policy-rulings.ts'
import { createRoomRow } from './rooms.ts'

const room = '!room:one.test' as RoomId
const alice = '@alice:one.test' as UserId
const event = `$${'a'.repeat(43)}` as EventId

onEveryDatabase('policy rulings', (open) => {
  test('the first word about an event stands', async () => {
    const db = await open()
    assert.equal(await policyRuling(db.read, event), undefined)
    const first = { refusal: 'spam', ruledTs: 5 }
    assert.deepEqual(await db.write((tx) => putPolicyRuling(tx, event, first)), first)
    assert.deepEqual(await db.write((tx) => putPolicyRuling(tx, event, { refusal: undefined, ruledTs: 9 })), first)
    assert.deepEqual(await policyRuling(db.read, event), first)
    await db.close()
  })

  test('of two concurrent rulings, both callers get the first', async () => {
    const db = await open()
    const said = await Promise.all(
      ['one', undefined, 'three'].map((refusal) =>
        db.write((tx) => putPolicyRuling(tx, event, { refusal, ruledTs: 1 })),
      ),
    )
    assert.equal(new Set(said.map(({ refusal }) => refusal)).size, 1)
    await db.close()
  })

  test('the last way in counts, and what is old is forgotten', async () => {
    const db = await open()
    await db.write(async (tx) => {
      await createRoomRow(tx, room, '12')
      await putPolicyEntry(tx, room, alice, 10)
      await putPolicyEntry(tx, room, alice, 20)
      await putPolicyRuling(tx, event, { refusal: undefined, ruledTs: 10 })
    })
    await db.write((tx) => dropOldRulings(tx, 20))
    assert.equal(await policyEntry(db.read, room, alice), 20)
    assert.equal(await policyRuling(db.read, event), undefined)
    await db.write((tx) => dropOldRulings(tx, 21))
    assert.equal(await policyEntry(db.read, room, alice), undefined)
    await db.close()
  })
})
