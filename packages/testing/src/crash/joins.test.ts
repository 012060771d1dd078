// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { describe } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createDatabase, testOnPostgres, testOnSqlite } from '../databases.ts'

const program = fileURLToPath(new URL('./crash-joins.ts', import.meta.url))

/** Runs the program that kills a server which is joining rooms; answers its exit code and all it said. */
async function crash(database: string): Promise<{ code: number | null; said: string }> {
  const size = ['--members', '400', '--seed', 'test']
  const child = spawn(process.execPath, [program, '--database', database, ...size])
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, said }
}

describe('a server that is killed while it joins large rooms is in them in the end, with everybody and all that was said', () => {
  testOnSqlite('over sqlite', async () => {
    const { code, said } = await crash('sqlite')
    assert.equal(code, 0, said)
    assert.equal(said.match(/all is there/g)?.length, 5, said)
  })

  testOnPostgres('over postgres', async () => {
    const database = await createDatabase()
    const { code, said } = await crash(database.url)
    await database.drop()
    assert.equal(code, 0, said)
    assert.equal(said.match(/all is there/g)?.length, 5, said)
  })
})
