// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import pg from 'pg'
import { createDatabase, testOnPostgres } from '@myelin/testing/databases'
import { dyingNode } from '@myelin/testing/dead-nodes/dying-node'
import type { Database } from '../database.ts'
import { openPostgres } from './postgres.ts'
import { dropLease, takeLease } from '../readers.ts'
import { topics } from '../topics.ts'

/** A node that counts how often it heard that a lease is free. */
async function nodeOf(url: string) {
  const heard = { leases: 0 }
  const db = await openPostgres(
    { connectionString: url, maxReaders: 2 },
    { committed: (hint) => (hint.topics.has(topics.leases) ? heard.leases++ : undefined) },
  )
  const take = (now = 0) =>
    db.write((tx) => takeLease(tx, { name: 'reader', holder: String(db.node), node: db.node, until: 1000 }, now))
  return { db, heard, take }
}

/** Looks as a node does once a second, until it hears of a free lease. */
async function looked(db: Database, heard: { readonly leases: number }): Promise<boolean> {
  for (let looks = 0; looks < 1000; looks++) {
    await db.catchUp()
    if (heard.leases > 0) return true
  }
  return false
}

testOnPostgres('the lease of a node that was killed is free as soon as another one looks', async () => {
  const { url, drop } = await createDatabase()
  const { db, heard, take } = await nodeOf(url)
  const kill = await dyingNode(url, 'reader')
  await db.catchUp()
  assert.deepEqual([await take(), heard.leases], [undefined, 0])
  await kill()
  assert.equal(await looked(db, heard), true)
  assert.equal(await take(), 0)
  await db.close()
  await drop()
})

testOnPostgres('the lease of a node that lives is its own until it runs out, however often others look', async () => {
  const { url, drop } = await createDatabase()
  const [here, there] = [await nodeOf(url), await nodeOf(url)]
  assert.equal(await here.take(), 0)
  for (const { db } of [there, here, there]) await db.catchUp()
  assert.equal(await there.take(1000), undefined)
  assert.equal(await there.take(1001), 0)
  assert.deepEqual([here.heard.leases, there.heard.leases], [0, 0])
  await Promise.all([here.db.close(), there.db.close()])
  await drop()
})

testOnPostgres('a node whose connection broke is alive again once it writes over another one', async () => {
  const { url, drop } = await createDatabase()
  const [here, there] = [await nodeOf(url), await nodeOf(url)]
  assert.equal(await here.take(), 0)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const holding = 'select pid from pg_locks where classid = 7306 and objid = $1'
  const cut = await client.query(`select pg_terminate_backend(pid, 5000) from (${holding}) as holders`, [here.db.node])
  await client.end()
  assert.equal(cut.rowCount, 1)
  for (let tries = 0; tries < 1000; tries++) {
    const isBack = await here.db
      .write(async () => {})
      .then(
        () => true,
        () => false,
      )
    if (isBack) break
  }
  await there.db.catchUp()
  assert.deepEqual([await there.take(), there.heard.leases], [undefined, 0])
  await Promise.all([here.db.close(), there.db.close()])
  await drop()
})

testOnPostgres('a released lease is announced to every node', async () => {
  const { url, drop } = await createDatabase()
  const [here, there] = [await nodeOf(url), await nodeOf(url)]
  await here.take()
  await here.db.write((tx) => dropLease(tx, 'reader', String(here.db.node)))
  await there.db.catchUp()
  assert.deepEqual([there.heard.leases, await there.take()], [1, 0])
  await Promise.all([here.db.close(), there.db.close()])
  await drop()
})
