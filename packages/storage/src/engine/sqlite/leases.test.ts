// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { takeLease } from '../readers.ts'
import { openSqlite } from './sqlite.ts'

test('opening an embedded database frees the leases of a dead process', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'myelin-leases-'))
  const path = join(folder, 'homeserver.db')
  const lease = (holder: string) => ({ name: 'reader', holder, node: 0, until: 1_000_000 })
  const first = await openSqlite(path, { committed: () => {} })
  assert.equal(await first.write((tx) => takeLease(tx, lease('one'), 1)), 0)
  assert.equal(await first.write((tx) => takeLease(tx, lease('two'), 2)), undefined)
  await first.close()
  const second = await openSqlite(path, { committed: () => {} })
  assert.equal(await second.write((tx) => takeLease(tx, lease('two'), 2)), 0)
  await second.close()
  await rm(folder, { recursive: true })
})
