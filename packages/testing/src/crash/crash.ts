// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { judge } from './judge.ts'
import { startPostgres } from '../processes/postgres-server.ts'
import { pointsOf, rehearsalEnvironment } from './kill-schedule.ts'
import { PowerLoss } from './power/power-loss.ts'
import { runCrash } from './run-crash.ts'
import { startTlsServers } from '../fake-servers/tls-servers.ts'
import { latencyOf } from '../latency.ts'
import { startServerProcess } from '../processes/server-process.ts'

/**
 * `npm run crash -- --kills 50 --database sqlite|postgres|URL --seed S`: kills a server while users send requests, and
 * checks the invariants. Exits with 1 if one is violated.
 *
 * With `--points` it dies at each crash point, `--kills` times. With `--power-loss`, what was not synced is lost (over
 * PostgreSQL, only of the files beside it). With `--lying-disk`, what was synced is lost as well, so that violations
 * must be found.
 */
const { values } = parseArgs({
  options: {
    kills: { type: 'string' },
    database: { type: 'string', default: 'sqlite' },
    seed: { type: 'string', default: Date.now().toString(36) },
    users: { type: 'string', default: '32' },
    rooms: { type: 'string', default: '4' },
    'think-ms': { type: 'string', default: '80' },
    'calm-ms': { type: 'string', default: '300-1500' },
    'recovery-ms': { type: 'string', default: '10000' },
    results: { type: 'boolean', default: true },
    points: { type: 'boolean', default: false },
    at: { type: 'string', multiple: true },
    'power-loss': { type: 'boolean', default: false },
    'lying-disk': { type: 'boolean', default: false },
  },
  allowNegative: true,
})
const [least = 300, most = 1500] = values['calm-ms'].split('-').map(Number)
const postgres = values.database === 'postgres' ? await startPostgres() : undefined
const database = values.database === 'sqlite' ? undefined : (postgres?.url ?? values.database)
const isLossy = values['power-loss'] || values['lying-disk']
const isRehearsed = values.points || values.at !== undefined
const all = isRehearsed ? pointsOf(database === undefined) : []
const points = all.filter((point) => values.at?.includes(point) ?? true)
const kills = Number(values.kills ?? (isRehearsed ? 20 : 50))
let power: PowerLoss | undefined
const shown = { tenth: -1 }
const servers = isLossy || isRehearsed ? await startTlsServers(1) : undefined
const server = await startServerProcess({
  database,
  settings: servers?.settings ?? "ip_range_whitelist: ['127.0.0.1']\n",
  prepare: (folder, dataFolder) => {
    if (isLossy) power = powerOver(folder, dataFolder)
    return { ...power?.environment, ...(isLossy || isRehearsed ? rehearsalEnvironment() : {}) }
  },
})
console.log(
  `crash: ${kills} kills${isRehearsed ? ` at each of ${points.length} places` : ''}${isLossy ? ' that lose power' : ''}, ${values.users} users, ${database ? 'PostgreSQL' : 'SQLite'}, seed ${values.seed}`,
)
try {
  const { deeds, seen, population, reached } = await runCrash(server, {
    seed: values.seed,
    kills,
    points,
    power,
    servers,
    users: Number(values.users),
    rooms: Number(values.rooms),
    thinkMs: Number(values['think-ms']),
    calmMs: [least, most],
    recoveryLimitMs: Number(values['recovery-ms']),
    progress,
  })
  progress('', 1)
  const verdicts = judge(deeds, seen)
  console.table(
    verdicts.map(({ invariant, title, checked, violations }) => ({
      invariant,
      title,
      checked,
      violations: violations.length,
    })),
  )
  const unanswered = deeds.reduce((sum, { attempts, answers }) => sum + attempts - answers.length, 0)
  const events = seen.rooms.reduce((sum, { messages }) => sum + messages.length, 0)
  const recovery = latencyOf(seen.recoveriesMs)
  console.log(
    `${deeds.length} acts, ${unanswered} attempts unanswered, ${events} events, recovery ${recovery.p50} ms, at worst ${recovery.max} ms`,
  )
  if (!population.hasToDevice) console.log('to-device messages: left out, the server does not have them')
  if (!population.hasKeys) console.log('one-time keys: left out, the server does not have them')
  if (power) {
    const { cuts, files, bytes } = power.lost
    console.log(`${cuts} losses of power took ${bytes} bytes in ${files} files that were not synced`)
  }
  for (const point of points) {
    const times = reached.get(point) ?? 0
    console.log(`died ${times} times at: ${point}`)
    if (times < kills) process.exitCode = 1
  }
  for (const { invariant, violations } of verdicts)
    for (const violation of violations.slice(0, 20)) console.error(`${invariant}: ${violation}`)
  if (verdicts.some(({ violations }) => violations.length > 0)) process.exitCode = 1
  if (values.results) {
    const summary = {
      ...values,
      lost: power?.lost,
      reached: Object.fromEntries(reached),
      at: new Date().toISOString(),
      acts: deeds.length,
      unanswered,
      events,
      recovery,
      verdicts,
    }
    const folder = new URL('../../../../bench/results/', import.meta.url)
    mkdirSync(folder, { recursive: true })
    writeFileSync(new URL(`crash-${values.seed}.json`, folder), `${JSON.stringify(summary, undefined, 2)}\n`)
  }
} finally {
  await server.close()
  await servers?.close()
  await postgres?.stop()
}

/** Returns the power-loss model; ends the program with the reason where this machine cannot run it. */
function powerOver(folder: string, dataFolder: string): PowerLoss {
  const made = PowerLoss.over(dataFolder, join(folder, 'trace-writes.so'), { lies: values['lying-disk'] })
  if (typeof made !== 'string') return made
  console.log(`skipped: ${made}`)
  process.exit(0)
}

/** Shows the progress: a bar on a terminal, else a line for each tenth. */
function progress(text: string, part: number): void {
  if (!process.stderr.isTTY) {
    const tenth = Math.floor(part * 10)
    if (tenth > shown.tenth && text !== '') process.stderr.write(`${tenth * 10} %: ${text}\n`)
    shown.tenth = Math.max(shown.tenth, tenth)
    return
  }
  const bar = '█'.repeat(Math.round(part * 30)).padEnd(30, '░')
  process.stderr.write(text === '' ? '\r\u001b[K' : `\r\u001b[K${bar} ${text}`)
}
