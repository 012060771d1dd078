// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createDatabase } from '../databases.ts'

const program = fileURLToPath(new URL('../../../../bench/crash.ts', import.meta.url))

/** Runs `npm run crash`, short; answers its exit code and all it said. */
async function crash(database: string, seed: string): Promise<{ code: number | null; said: string }> {
  const size = ['--kills', '4', '--users', '10', '--rooms', '3', '--calm-ms', '200-700', '--no-results']
  const child = spawn(process.execPath, [program, '--database', database, '--seed', seed, ...size])
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, said }
}

describe('a server that is killed in the middle of its work keeps every promise', () => {
  test('over sqlite', async () => {
    const { code, said } = await crash('sqlite', 'test')
    assert.equal(code, 0, said)
    assert.match(said, /no acknowledged event is lost/)
  })

  test('over postgres', async () => {
    const url = process.env['MYELIN_TEST_POSTGRES']
    assert.ok(url, 'run tests with npm test')
    const database = await createDatabase(url)
    const { code, said } = await crash(database.url, 'test')
    await database.drop()
    assert.equal(code, 0, said)
    assert.match(said, /no acknowledged event is lost/)
  })
})
