// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '@myelin/testing/databases'
import { nextTurn } from '@myelin/kit/next-turn'
import type { CommitHint, Database, Tx } from './database.ts'
import { insertRow } from './prepared.ts'
import type { OpenReader } from './reader.ts'

const put = (name: string) => async (tx: Tx) => {
  const position = tx.takePosition()
  tx.touch(name)
  await tx
    .insertInto('settings')
    .values({ name, value: String(position) })
    .execute()
  return position
}

/** The same for a unit that reads nothing: it leaves its statements to the batch. */
const leave = (name: string) => async (tx: Tx) => {
  const position = tx.takePosition()
  tx.touch(name)
  await insertRow(tx, 'settings', { name, value: String(position) })
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

  test('rolls back only the failing unit, and rejects with the cause', async () => {
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

  test('shows a unit that reads what those before it left that read nothing', async () => {
    const db = await open()
    const seen = async (tx: Tx) =>
      (await tx.selectFrom('settings').select('name').orderBy('name').execute()).map((row) => row.name)
    const [, , both, , all] = await Promise.all([
      db.write(leave('one')),
      db.write(leave('two')),
      db.write(seen),
      db.write(leave('three')),
      db.write(seen),
    ])
    assert.deepEqual(
      [both, all],
      [
        ['one', 'two'],
        ['one', 'three', 'two'],
      ],
    )
    assert.deepEqual(await names(db), ['one', 'three', 'two'])
    await db.close()
  })

  test('leaves nothing of a unit that fails and has read nothing', async () => {
    const db = await open()
    const fails = async (tx: Tx) => {
      await leave('half done')(tx)
      throw new Error('changed my mind')
    }
    const outcomes = await Promise.allSettled([db.write(leave('before')), db.write(fails), db.write(leave('after'))])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    assert.deepEqual(await names(db), ['after', 'before'])
    await db.close()
  })

  for (const [size, many] of [
    ['few', 4],
    ['many', 40],
  ] as const) {
    test(`takes back only the unit whose statement is refused, among ${size} that read nothing`, async () => {
      const db = await open()
      await db.write(leave('taken'))
      const units = Array.from({ length: many }, (_, index) => (index % 7 === 2 ? 'taken' : `unit ${index}`))
      const outcomes = await Promise.allSettled(units.map((name) => db.write(leave(name))))
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        units.map((name) => (name === 'taken' ? 'rejected' : 'fulfilled')),
      )
      assert.deepEqual(await names(db), [...new Set(['taken', ...units])].toSorted())
      await db.close()
    })
  }

  test('runs a batch again that began while the one before it was refused', async () => {
    const db = await open()
    await db.write(leave('taken'))
    const outcomes: Promise<boolean>[] = []
    const expected: string[] = []
    for (let index = 0; index < 300; index++) {
      const name = index % 50 === 10 ? 'taken' : `unit ${index}`
      expected.push(name)
      outcomes.push(
        db.write<unknown>(index % 3 === 0 ? put(name) : leave(name)).then(
          () => true,
          () => false,
        ),
      )
      // Some come while the batch of others is on its way to the disk.
      if (index % 10 === 9) await nextTurn()
    }
    assert.deepEqual(
      await Promise.all(outcomes),
      expected.map((name) => name !== 'taken'),
    )
    const [all, positions] = [await names(db), await db.read.selectFrom('settings').select('value').execute()]
    assert.deepEqual(all, [...new Set(['taken', ...expected])].toSorted())
    assert.equal(new Set(positions.map(({ value }) => value)).size, all.length)
    await db.close()
  })

  test('keeps what many left that read nothing, when it is opened again', async () => {
    const db = await open()
    await Promise.all(Array.from({ length: 100 }, (_, index) => db.write(leave(`unit ${index}`))))
    const reader = await import(db.source.module)
    const another = (reader as { openReader: OpenReader }).openReader(db.source.settings)
    const { length } = await another.read.selectFrom('settings').select('name').execute()
    assert.equal(length, 100)
    await another.close()
    await db.close()
  })
})
