// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { dropDatabases, connectionFault, startPostgres } from '@myelin/testing/processes/postgres-server'
import type { TestPostgres } from '@myelin/testing/processes/postgres-server'

/** Ends the process of a test file that never ends. */
const FILE_DEADLINE = new URL('./tests/file-deadline.ts', import.meta.url).href
/** Prints the files that took longest. */
const SLOWEST_FILES = new URL('./tests/slowest-files.ts', import.meta.url).href
const USAGE = `npm test -- [--engine sqlite|postgres] [--full] [part of a path]...`

interface Wanted {
  readonly engine: string | undefined
  /** Tests of two lengths run at their full one. */
  readonly isFullLength: boolean
  readonly parts: readonly string[]
}

/**
 * Runs every test file; arguments narrow it to files whose path contains one of them.
 *
 * PostgreSQL is the server that `MYELIN_TEST_POSTGRES` names, else a fresh one; `--engine sqlite` needs none. `--full` runs
 * tests of two lengths at their full one.
 */
async function main(): Promise<number> {
  const { engine, isFullLength, parts } = wantedOf(process.argv.slice(2))
  const files = globSync('{packages/*/src,scripts}/**/*.test.ts').filter(
    (file) => parts.length === 0 || parts.some((part) => file.includes(part)),
  )
  // Without a file the runner would look for tests itself, and take all it finds.
  if (files.length === 0) throw new Error(`no test file has ${parts.join(' or ')} in its path`)
  const postgres = engine === 'sqlite' ? undefined : await postgresOfRun(isFullLength)
  const prefix = `myelin_test_${process.pid}_${Date.now().toString(36)}`
  const env = {
    ...process.env,
    // Most files load the whole server; compiled once, that takes a third less time.
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? resolve('node_modules/.cache/compiled'),
    MYELIN_TEST_DATABASES: prefix,
    ...(engine === undefined ? {} : { MYELIN_TEST_ENGINE: engine }),
    ...(isFullLength ? { MYELIN_TEST_LENGTH: 'full' } : {}),
    ...(postgres ? { MYELIN_TEST_POSTGRES: postgres.url } : {}),
  }
  try {
    // matrix-js-sdk leaves timers behind, so what speaks through it must be ended. Others end by themselves, as they should,
    // and print everything: a file that is ended may lose the names of tests that passed.
    const isEnded = (file: string) => file.endsWith('conversation.test.ts')
    const results = [
      await run(
        files.filter((file) => !isEnded(file)),
        env,
      ),
      await run(files.filter(isEnded), env, '--test-force-exit'),
    ]
    return results.every(Boolean) ? 0 : 1
  } finally {
    if (postgres) await dropDatabases(postgres.url, prefix)
    await postgres?.stop()
  }
}

function wantedOf(args: string[]): Wanted {
  // `strict` would refuse with the parser's words.
  const { values, positionals } = parseArgs({
    args,
    options: { engine: { type: 'string' }, full: { type: 'boolean' } },
    allowPositionals: true,
    strict: false,
  })
  const [unknown] = Object.keys(values).filter((name) => name !== 'engine' && name !== 'full')
  if (unknown !== undefined) throw new Error(`unknown flag --${unknown}; usage: ${USAGE}`)
  const { engine } = values
  if (engine !== undefined && engine !== 'sqlite' && engine !== 'postgres') {
    throw new Error(`--engine must be sqlite or postgres; usage: ${USAGE}`)
  }
  return { engine, isFullLength: values['full'] === true, parts: positionals }
}

/**
 * Returns the server that the environment names, which stays, or one of this run. Tests do not cut its power, so it syncs at
 * full length only.
 */
async function postgresOfRun(isFullLength: boolean): Promise<Pick<TestPostgres, 'url' | 'stop'>> {
  const url = process.env['MYELIN_TEST_POSTGRES']
  if (url === undefined || url === '') return startPostgres(isFullLength ? [] : ['fsync=off', 'full_page_writes=off'])
  const fault = await connectionFault(url)
  if (fault) throw new Error(`MYELIN_TEST_POSTGRES names no server that can be used: ${fault.message}`)
  return { url, stop: async () => {} }
}

/** Runs some test files and returns whether all passed. */
async function run(files: readonly string[], env: NodeJS.ProcessEnv, ...flags: readonly string[]): Promise<boolean> {
  if (files.length === 0) return true
  const reporters = ['spec', SLOWEST_FILES].flatMap((name) => [
    `--test-reporter=${name}`,
    '--test-reporter-destination=stdout',
  ])
  const args = ['--test', '--test-concurrency=2', `--import=${FILE_DEADLINE}`, ...reporters, ...flags, ...files]
  const tests = spawn(process.execPath, args, { stdio: 'inherit', env })
  const status = await new Promise<number | null>((resolve) => tests.once('exit', resolve))
  return status === 0
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(`npm test: ${(error as Error).message}`)
  process.exitCode = 1
}
