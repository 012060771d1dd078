// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { judge } from '@myelin/testing/crash/judge'
import { startPostgres } from '../scripts/test-postgres.ts'
import { runCrash } from './crash/run-crash.ts'
import { latencyOf } from './figures.ts'
import { startOwnServer } from './own-server.ts'

/**
 * `npm run crash -- --kills 50 --database sqlite|postgres|URL --seed S`: kills a server of our own while a town lives on
 * it, and judges what is left. Exits with 1 where a law is broken.
 */
const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    database: { type: 'string', default: 'sqlite' },
    seed: { type: 'string', default: Date.now().toString(36) },
    users: { type: 'string', default: '32' },
    rooms: { type: 'string', default: '4' },
    'think-ms': { type: 'string', default: '80' },
    'calm-ms': { type: 'string', default: '300-1500' },
    results: { type: 'boolean', default: true },
  },
  allowNegative: true,
})
const [least = 300, most = 1500] = values['calm-ms'].split('-').map(Number)
const postgres = values.database === 'postgres' ? await startPostgres() : undefined
const database = values.database === 'sqlite' ? undefined : (postgres?.url ?? values.database)
const server = await startOwnServer({ database })
console.log(
  `crash: ${values.kills} kills, ${values.users} users, ${database ? 'PostgreSQL' : 'SQLite'}, seed ${values.seed}`,
)
try {
  const { deeds, seen, town } = await runCrash(server, {
    seed: values.seed,
    kills: Number(values.kills),
    users: Number(values.users),
    rooms: Number(values.rooms),
    thinkMs: Number(values['think-ms']),
    calmMs: [least, most],
    progress,
  })
  progress('', 1)
  const verdicts = judge(deeds, seen)
  console.table(
    verdicts.map(({ law, title, checked, violations }) => ({ law, title, checked, violations: violations.length })),
  )
  const unanswered = deeds.reduce((sum, { attempts, answers }) => sum + attempts - answers.length, 0)
  const events = seen.rooms.reduce((sum, { messages }) => sum + messages.length, 0)
  const recovery = latencyOf(seen.recoveriesMs)
  console.log(
    `${deeds.length} acts, ${unanswered} attempts unanswered, ${events} events, recovery ${recovery.p50} ms, at worst ${recovery.max} ms`,
  )
  if (!town.hasToDevice) console.log('to-device messages: left out, the server does not have them')
  if (!town.hasKeys) console.log('one-time keys: left out, the server does not have them')
  for (const { law, violations } of verdicts)
    for (const violation of violations.slice(0, 20)) console.error(`${law}: ${violation}`)
  if (verdicts.some(({ violations }) => violations.length > 0)) process.exitCode = 1
  if (values.results) {
    const summary = {
      ...values,
      at: new Date().toISOString(),
      acts: deeds.length,
      unanswered,
      events,
      recovery,
      verdicts,
    }
    const folder = new URL('results/', import.meta.url)
    mkdirSync(folder, { recursive: true })
    writeFileSync(new URL(`crash-${values.seed}.json`, folder), `${JSON.stringify(summary, undefined, 2)}\n`)
  }
} finally {
  await server.close()
  await postgres?.stop()
}

function progress(text: string, part: number): void {
  if (!process.stderr.isTTY) return
  const bar = '█'.repeat(Math.round(part * 30)).padEnd(30, '░')
  process.stderr.write(text === '' ? '\r\u001b[K' : `\r\u001b[K${bar} ${text}`)
}
