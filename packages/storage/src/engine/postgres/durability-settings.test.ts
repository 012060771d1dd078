// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startPostgres } from '@myelin/testing/processes/postgres-server'
import { testOnPostgres } from '@myelin/testing/databases'
import { durabilityNotices } from './durability-settings.ts'
import { openPostgres } from './postgres.ts'

/** Returns the notices about a server while it is opened. */
async function saidOf(connectionString: string): Promise<string[]> {
  const said: string[] = []
  const db = await openPostgres({ connectionString }, { committed: () => {}, warned: (notice) => said.push(notice) })
  await db.close()
  return said
}

// A server that a run is given may be careless as well, so both are started here.
testOnPostgres('a server without syncs causes a notice, and no other server does', async () => {
  const careless = startPostgres(['fsync=off', 'full_page_writes=off', 'synchronous_commit=off'])
  const servers = await Promise.all([careless, startPostgres()])
  try {
    const [said, none] = await Promise.all(servers.map(({ url }) => saidOf(url)))
    // Our own connections commit with a sync whatever the server's default is.
    assert.deepEqual(
      said?.map((notice) => notice.split(' ')[0]),
      ['fsync', 'full_page_writes'],
    )
    assert.deepEqual(none, [])
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
})

test('a connection on which commits do not wait for the disk is reported', () => {
  const on = { fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on' }
  assert.deepEqual(durabilityNotices(on), [])
  for (const synchronous_commit of ['off', 'local', 'remote_write']) {
    const said = durabilityNotices({ ...on, synchronous_commit })
    assert.match(said.join(), /^synchronous_commit/)
  }
})
