// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createDatabase, testOnPostgres, testOnSqlite } from '../databases.ts'
import { sizeOf } from '../test-length.ts'

const program = fileURLToPath(new URL('./crash.ts', import.meta.url))

/** Runs `npm run crash` with few users and returns its exit code and output. */
async function crash(
  database: string,
  seed: string,
  more: readonly string[],
): Promise<{ code: number | null; said: string }> {
  const size = [
    ...more,
    '--users',
    '10',
    '--rooms',
    '3',
    '--calm-ms',
    '200-700',
    '--recovery-ms',
    '60000',
    '--no-results',
  ]
  const child = spawn(process.execPath, [program, '--database', database, '--seed', seed, ...size])
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, said }
}

describe('a server that is killed under load keeps every invariant', () => {
  testOnSqlite('over sqlite', async () => {
    const { code, said } = await crash('sqlite', 'test', ['--kills', String(sizeOf({ short: 4, full: 20 }))])
    assert.equal(code, 0, said)
    assert.match(said, /no acknowledged event is lost/)
  })

  testOnPostgres('over postgres', async () => {
    const database = await createDatabase()
    const { code, said } = await crash(database.url, 'test', ['--kills', String(sizeOf({ short: 1, full: 20 }))])
    await database.drop()
    assert.equal(code, 0, said)
    assert.match(said, /no acknowledged event is lost/)
  })

  test('at crash points, and when it loses what was not synced', async () => {
    const { code, said } = await crash('sqlite', 'power', [
      '--power-loss',
      '--at',
      'committed',
      '--at',
      'blob moved',
      '--kills',
      '1',
    ])
    assert.equal(code, 0, said)
    if (said.includes('skipped: ')) return
    for (const seen of ['died 1 times at: committed', 'died 1 times at: blob moved', '3 losses of power']) {
      assert.ok(said.includes(seen), said)
    }
  })

  test('is found to break them when the disk loses what was synced', async () => {
    const { code, said } = await crash('sqlite', 'lies', ['--lying-disk', '--kills', '3'])
    if (said.includes('skipped: ')) return
    assert.equal(code, 1, said)
    assert.match(said, /^L1: /m)
  })
})
