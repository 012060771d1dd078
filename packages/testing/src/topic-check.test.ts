// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { Tx } from '@myelin/storage/engine/database'
import { internUser } from '@myelin/storage/engine/names'
import { insertRow } from '@myelin/storage/engine/prepared'
import { topics } from '@myelin/storage/engine/topics'
import { putPushRules } from '@myelin/storage/accounts/push-rules'
import { roomRows } from '@myelin/storage/rooms/room-row'
import { createRoomRow, openRoom } from '@myelin/storage/rooms/rooms'
import { onEveryDatabase } from './databases.ts'

const alice = '@alice:one.test' as UserId
const bob = '@bob:one.test' as UserId
const lobby = '!lobby:one.test' as RoomId

const failsWith = (words: string) => ({ message: `a unit did not touch its topics: ${words}` })

onEveryDatabase('the check of topics', (open) => {
  test('passes a unit that touches the topics of what it wrote', async () => {
    const db = await open()
    await db.write((tx) => putPushRules(tx, alice, '{}'))
    await db.close()
  })

  const account = { password_hash: null, created_ts: 1, is_admin: 0, is_guest: 0, is_deactivated: 0 } as const
  const row = { user_id: alice, ...account, is_erased: 0, is_locked: 0, is_suspended: 0 } as const
  const rule = { user_id: alice, rules: '{}', position: 1 }
  const member = async (tx: Tx) => ({
    room_nid: 1,
    user_nid: await internUser(tx, alice),
    membership: 'join',
    event_nid: 1,
    position: 1,
    forgotten: 0,
    stripped_state: null,
  })
  const units: readonly [name: string, unit: (tx: Tx) => Promise<unknown>, words: string][] = [
    [
      'inserts by a query',
      (tx) => tx.insertInto('push_rules').values(rule).execute(),
      `insert of push_rules () without ${alice}`,
    ],
    [
      'inserts by a sent statement',
      (tx) => insertRow(tx, 'push_rules', rule),
      `insert of push_rules () without ${alice}`,
    ],
    [
      'touches the topic of another user',
      async (tx) => {
        await insertRow(tx, 'push_rules', rule)
        tx.touch(bob)
      },
      `insert of push_rules () without ${alice}`,
    ],
    [
      'updates, and says whose row it is',
      async (tx) => {
        await insertRow(tx, 'accounts', row)
        await tx.updateTable('accounts').set({ is_erased: 1 }).where('user_id', '=', alice).execute()
        tx.touch(topics.account(alice))
      },
      'update of accounts (is_erased) without erased users',
    ],
    [
      'knows a user by number',
      async (tx) => {
        const row = await member(tx)
        tx.touch(topics.members(row.room_nid))
        await insertRow(tx, 'members', row)
      },
      `insert of members () without ${alice}`,
    ],
  ]
  for (const [name, unit, words] of units) {
    test(`fails a unit that ${name}`, async () => {
      const db = await open()
      await assert.rejects(db.write(unit), failsWith(words))
      assert.deepEqual(await db.read.selectFrom('push_rules').selectAll().execute(), [])
      await db.close()
    })
  }

  test('fails a unit that changes a kept row, and passes one whose statement changed nothing', async () => {
    const db = await open()
    await db.write((tx) => createRoomRow(tx, lobby, '12'))
    const change = async (tx: Tx) => {
      await openRoom(tx, lobby)
      const kept = tx.known.row(roomRows, lobby)
      assert.ok(kept)
      tx.known.change(roomRows, { ...kept, depth: 7 })
    }
    await assert.rejects(
      db.write(change),
      /^Error: a unit did not touch its topics: update of rooms \(.*\) without !lobby:one\.test$/,
    )
    await db.write((tx) => tx.deleteFrom('push_rules').where('user_id', '=', alice).execute())
    await db.close()
  })
})
