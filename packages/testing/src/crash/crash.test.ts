// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createDatabase, testOnPostgres, testOnSqlite } from '../databases.ts'

const program = fileURLToPath(new URL('./crash.ts', import.meta.url))

/** Runs `npm run crash`, short; answers its exit code and all it said. */
async function crash(
  database: string,
  seed: string,
  more: readonly string[] = ['--kills', '4'],
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

describe('a server that is killed in the middle of its work keeps every promise', () => {
  testOnSqlite('over sqlite', async () => {
    const { code, said } = await crash('sqlite', 'test')
    assert.equal(code, 0, said)
    assert.match(said, /no acknowledged event is lost/)
  })

  testOnPostgres('over postgres', async () => {
    const database = await createDatabase()
    const { code, said } = await crash(database.url, 'test')
    await database.drop()
    assert.equal(code, 0, said)
    assert.match(said, /no acknowledged event is lost/)
  })

  test('also at the places that matter, and where what was not synced goes with it', async () => {
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

  test('and is found out where the disk does not keep what was synced', async () => {
    const { code, said } = await crash('sqlite', 'lies', ['--lying-disk', '--kills', '3'])
    if (said.includes('skipped: ')) return
    assert.equal(code, 1, said)
    assert.match(said, /^L1: /m)
  })
})
