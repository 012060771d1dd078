// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { describe } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createDatabase, testOnPostgres, testOnSqlite } from '../databases.ts'
import { sizeOf } from '../test-length.ts'
import { KILL_POINTS } from './killed-join.ts'

const program = fileURLToPath(new URL('./crash-joins.ts', import.meta.url))

/** Runs the program that kills a server during joins, at the first `points` kill points; returns its exit code and output. */
async function crash(database: string, points: number): Promise<{ code: number | null; said: string }> {
  const size = ['--members', '400', '--seed', 'test', '--points', String(points)]
  const child = spawn(process.execPath, [program, '--database', database, ...size])
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, said }
}

describe('a server that is killed during joins of large rooms completes them, with all members and messages', () => {
  testOnSqlite('over sqlite', async () => {
    const { code, said } = await crash('sqlite', KILL_POINTS.length)
    assert.equal(code, 0, said)
    assert.equal(said.match(/all is there/g)?.length, KILL_POINTS.length, said)
  })

  testOnPostgres('over postgres', async () => {
    const points = sizeOf({ short: 1, full: KILL_POINTS.length })
    const database = await createDatabase()
    const { code, said } = await crash(database.url, points)
    await database.drop()
    assert.equal(code, 0, said)
    assert.equal(said.match(/all is there/g)?.length, points, said)
  })
})
