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
const tests = spawn(process.execPath, ['--test', '--test-force-exit', '--test-concurrency=2', ...files], {
  stdio: 'inherit',
  env,
})
const status = await new Promise<number | null>((resolve) => tests.once('exit', resolve))
await postgres.stop()
process.exitCode = status ?? 1
