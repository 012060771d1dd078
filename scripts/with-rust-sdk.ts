// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '@myelin/testing/processes/postgres-server'
import { buildPhone } from './rust-sdk/build.ts'
import { OwnServer } from './rust-sdk/own-server.ts'
import { refusalsIn } from './rust-sdk/refusals.ts'
import { restarts } from './rust-sdk/restarts.ts'
import { scenarios } from './rust-sdk/scenarios.ts'
import { World } from './rust-sdk/world.ts'

/**
 * Two clients on matrix-rust-sdk do on a Myelin what Element X does. `--database postgres` puts the server on
 * PostgreSQL; `--keep` leaves the stores of the clients and prints their folder.
 */

const { values } = parseArgs({
  options: { database: { type: 'string', default: 'sqlite' }, keep: { type: 'boolean', default: false } },
})

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
  if (values.keep) console.log(`\nThe stores are in ${folder}`)
  else rmSync(folder, { recursive: true, force: true })
}

async function run(): Promise<number> {
  let failed = 0
  for (const { name, run } of [...scenarios, ...restarts]) if (!(await works(name, () => run(world)))) failed++
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
