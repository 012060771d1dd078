// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '@myelin/testing/databases'
import type { CommitHint, Database, Tx } from './database.ts'

const put = (name: string) => async (tx: Tx) => {
  const position = tx.takePosition()
  tx.touch(name)
  await tx
    .insertInto('settings')
    .values({ name, value: String(position) })
    .execute()
  return position
}

const names = async (db: Database) =>
  (await db.read.selectFrom('settings').select('name').orderBy('name').execute()).map((row) => row.name)

onEveryDatabase('group commit', (open) => {
  test('gives every unit its own position, in the order they came', async () => {
    const db = await open()
    const positions = await Promise.all(Array.from({ length: 50 }, (_, index) => db.write(put(`unit ${index}`))))
    assert.deepEqual(
      positions,
      positions.toSorted((a, b) => a - b),
    )
    assert.equal(new Set(positions).size, 50)
    assert.equal(await db.position(), Math.max(...positions))
    await db.close()
  })

  test('takes back only the unit that fails, and tells it why', async () => {
    const db = await open()
    const fails = async (tx: Tx) => {
      await put('half done')(tx)
      throw new Error('changed my mind')
    }
    const outcomes = await Promise.allSettled([db.write(put('before')), db.write(fails), db.write(put('after'))])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    assert.deepEqual(await names(db), ['after', 'before'])
    await db.close()
  })

  test('survives a statement the engine refuses', async () => {
    const db = await open()
    await db.write(put('taken'))
    const outcomes = await Promise.allSettled([db.write(put('taken')), db.write(put('free'))])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'fulfilled'],
    )
    assert.deepEqual(await names(db), ['free', 'taken'])
    await db.close()
  })

  test('shows a unit to readers when it has answered, and not while it runs', async () => {
    const db = await open()
    const seen: string[][] = []
    await db.write(async (tx) => {
      await put('quiet')(tx)
      seen.push(await names(db))
    })
    seen.push(await names(db))
    assert.deepEqual(seen, [[], ['quiet']])
    await db.close()
  })

  test('announces what was touched once it can be read, and nothing of a unit that failed', async () => {
    const hints: { topics: string[]; visible: Promise<string[]> }[] = []
    const opened: { db?: Database } = {}
    const committed = (hint: CommitHint) => {
      if (opened.db) hints.push({ topics: [...hint.topics].toSorted(), visible: names(opened.db) })
    }
    const db = await open({ committed })
    opened.db = db
    const fails = async (tx: Tx) => {
      tx.touch('never')
      throw new Error('no')
    }
    await Promise.allSettled([db.write(put('one')), db.write(fails)])
    assert.deepEqual(
      hints.flatMap(({ topics }) => topics),
      ['one'],
    )
    assert.deepEqual(await hints[0]?.visible, ['one'])
    await db.close()
  })

  test('refuses a transaction that is used after its unit has ended', async () => {
    const db = await open()
    const escaped = await db.write(async (tx) => ({ tx }))
    assert.throws(() => escaped.tx.insertInto('settings'), /has ended/)
    await db.close()
  })
})
