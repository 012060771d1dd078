// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '@myelin/testing/processes/postgres-server'
import { buildPhone } from './rust-sdk/build.ts'
import { OwnServer } from './rust-sdk/own-server.ts'
import { endpointsIn, refusalsIn } from './rust-sdk/refusals.ts'
import { restarts } from './rust-sdk/restarts.ts'
import { scenarios } from './rust-sdk/scenarios.ts'
import type { Scenario } from './rust-sdk/scenarios.ts'
import { screens } from './rust-sdk/screens.ts'
import { World } from './rust-sdk/world.ts'

/**
 * Two clients on matrix-rust-sdk do on a Myelin what Element X does. `--database postgres` puts the server on
 * PostgreSQL; `--only WORDS` runs the first scenarios and those with these words in their name. `--requests` prints each
 * endpoint that was called. `--keep` leaves the stores of the clients and all requests, and prints
 * their folder.
 */

const { values } = parseArgs({
  options: {
    database: { type: 'string', default: 'sqlite' },
    only: { type: 'string' },
    requests: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
})

/** The number of scenarios at the beginning that make the users and their room. */
const NEEDED = 3

const built = buildPhone()
if ('skipped' in built) {
  console.log(`Skipped: ${built.skipped}.`)
  process.exit(0)
}
const folder = mkdtempSync(join(tmpdir(), 'myelin-rust-sdk-'))
const postgres = values.database === 'postgres' ? await startPostgres() : undefined
const server = await OwnServer.open(postgres?.url)
const world = new World(server, built.program, folder)
try {
  process.exitCode = await run()
} finally {
  await world.close()
  await server.close()
  await postgres?.stop()
  if (values.keep) {
    writeFileSync(join(folder, 'requests.json'), JSON.stringify(server.log.requests, null, 1))
    console.log(`\nThe stores and all requests are in ${folder}`)
  } else rmSync(folder, { recursive: true, force: true })
}
// matrix-js-sdk leaves timers of minutes behind.
process.exit()

async function run(): Promise<number> {
  let failed = 0
  for (const [index, { name, run }] of chosen().entries()) {
    if (await works(name, () => run(world))) continue
    failed++
    if (index < NEEDED) break
  }
  if (values.requests) {
    console.log('\nEndpoints:')
    for (const [endpoint, count] of endpointsIn(server.log.requests)) console.log(`  ${count} ${endpoint}`)
  }
  console.log('\nRequests that were answered with an error:')
  for (const { request, answer, count, because, example } of refusalsIn(server.log.requests)) {
    console.log(`  ${because === undefined ? 'FAIL' : 'ok  '} ${request}: ${answer}, ${count} times`)
    console.log(`       ${because ?? JSON.stringify(example)}`)
    if (because === undefined) failed++
  }
  for (const error of server.errors) console.log(`  FAIL the server logged an error: ${error}`)
  failed += server.errors.length
  console.log(failed === 0 ? '\nEverything works.' : `\n${failed} do not work.`)
  return failed === 0 ? 0 : 1
}

/** Returns the selected scenarios, and those that all need. */
function chosen(): readonly Scenario[] {
  const all = [...scenarios, ...screens, ...restarts]
  const { only } = values
  return only === undefined ? all : all.filter(({ name }, index) => index < NEEDED || name.includes(only))
}

/** Runs one scenario and prints its result. */
async function works(name: string, run: () => Promise<void>): Promise<boolean> {
  const started = performance.now()
  const fault = await run().then(
    () => undefined,
    (cause: unknown) => (cause instanceof Error ? cause.message : String(cause)),
  )
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(
    `  ${fault === undefined ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)${fault === undefined ? '' : `\n       ${fault}`}`,
  )
  return fault === undefined
}
