// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { startPostgres } from './test-postgres.ts'

/** Runs every test file beside a fresh PostgreSQL; arguments narrow it to files whose path contains one of them. */
const wanted = process.argv.slice(2)
const files = globSync('packages/*/src/**/*.test.ts').filter(
  (file) => wanted.length === 0 || wanted.some((part) => file.includes(part)),
)
// Without a file the runner would look for tests itself, and take all it finds.
if (files.length === 0) throw new Error(`no test file has ${wanted.join(' or ')} in its path`)
const postgres = await startPostgres()
const env = { ...process.env, MYELIN_TEST_POSTGRES: postgres.url }
/** Runs some of them; answers whether all passed. */
async function run(some: readonly string[], ...flags: readonly string[]): Promise<boolean> {
  if (some.length === 0) return true
  const tests = spawn(process.execPath, ['--test', '--test-concurrency=2', ...flags, ...some], {
    stdio: 'inherit',
    env,
  })
  const status = await new Promise<number | null>((resolve) => tests.once('exit', resolve))
  return status === 0
}

// matrix-js-sdk leaves timers behind, so whoever speaks through it must be ended. Others end by themselves, as they should,
// and tell all they have to tell: who is ended may lose the names of tests that passed.
const isEnded = (file: string) => file.endsWith('conversation.test.ts')
const results = [
  await run(files.filter((file) => !isEnded(file))),
  await run(files.filter(isEnded), '--test-force-exit'),
]
await postgres.stop()
process.exitCode = results.every(Boolean) ? 0 : 1
