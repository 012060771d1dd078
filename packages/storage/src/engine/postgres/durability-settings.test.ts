// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startPostgres } from '../../../../../scripts/test-postgres.ts'
import { createDatabase } from '@myelin/testing/databases'
import { durabilityNotices } from './durability-settings.ts'
import { openPostgres } from './postgres.ts'

/** What is said of a server while it is opened. */
async function saidOf(connectionString: string): Promise<string[]> {
  const said: string[] = []
  const db = await openPostgres({ connectionString }, { committed: () => {}, warned: (notice) => said.push(notice) })
  await db.close()
  return said
}

test('whoever runs a server without its syncs is told, and nobody else', async () => {
  const careless = await startPostgres(['fsync=off', 'full_page_writes=off', 'synchronous_commit=off'])
  try {
    const said = await saidOf(careless.url)
    // Our own connections commit with a sync whatever the server's default is.
    assert.deepEqual(
      said.map((notice) => notice.split(' ')[0]),
      ['fsync', 'full_page_writes'],
    )
  } finally {
    await careless.stop()
  }
  const careful = await createDatabase(process.env['MYELIN_TEST_POSTGRES'] ?? '')
  assert.deepEqual(await saidOf(careful.url), [])
  await careful.drop()
})

test('a connection on which commits do not wait for the disk is told of', () => {
  const on = { fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on' }
  assert.deepEqual(durabilityNotices(on), [])
  for (const synchronous_commit of ['off', 'local', 'remote_write']) {
    const said = durabilityNotices({ ...on, synchronous_commit })
    assert.match(said.join(), /^synchronous_commit/)
  }
})
