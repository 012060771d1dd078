// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { startPostgres } from '@myelin/testing/processes/postgres-server'
import { startServerProcess } from '@myelin/testing/processes/server-process'
import type { ServerProcess } from '@myelin/testing/processes/server-process'
import type { Workload } from './workloads/workload.ts'
import { bare, bareWhole } from './workloads/machine-ceiling.ts'
import { w1, w1Sends } from './workloads/send-messages.ts'
import { w1Open } from './workloads/send-at-fixed-rates.ts'
import { w3 } from './workloads/deliver-messages.ts'
import { w4 } from './workloads/initial-sync.ts'
import { w5 } from './workloads/idle-clients.ts'
import { w6 } from './workloads/join-large-room.ts'
import { w7 } from './workloads/receive-transactions.ts'
import { w8 } from './workloads/heal-split-room.ts'
import { w9 } from './workloads/send-to-many-servers.ts'
import { w10 } from './workloads/sliding-sync.ts'
import { search, searchOff } from './workloads/send-texts.ts'
import { w11 } from './workloads/push.ts'
import { w15a, w15b } from './workloads/memory-and-disk.ts'
import { startTlsServers } from '@myelin/testing/fake-servers/tls-servers'
import type { TlsServers } from '@myelin/testing/fake-servers/tls-servers'

/**
 * `npm run bench`: runs each workload against a fresh server of our own, or against any homeserver with `--url URL --secret
 * REGISTRATION_SHARED_SECRET`, prints a table each and writes bench/results/*.json.
 */
const workloads: readonly Workload[] = [
  bare,
  bareWhole,
  w1Sends,
  w1,
  w1Open,
  w3,
  w4,
  w5,
  w6,
  w7,
  w8,
  w9,
  w10,
  w11,
  search,
  searchOff,
  w15a,
  w15b,
]

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    secret: { type: 'string' },
    database: { type: 'string', default: 'sqlite' },
    only: { type: 'string', multiple: true },
    seconds: { type: 'string', default: '10' },
    scale: { type: 'string', default: '1' },
    name: { type: 'string', default: 'myelin' },
  },
})
const wanted = workloads.filter(({ name }) => !values.only || values.only.includes(name))
const run = Date.now().toString(36)
const results: Record<string, unknown> = {}
for (const workload of wanted) {
  if ((workload.needsOwn || workload.needsServers !== undefined) && values.url !== undefined) {
    console.log(`${workload.name}: left out, it measures a server that this program starts`)
    continue
  }
  const rows = values.url === undefined ? await onFreshServer(workload) : await measure(workload, undefined)
  console.log(`\n${workload.name}: ${workload.title}`)
  console.table(rows)
  results[workload.name] = rows
}
mkdirSync(new URL('results', import.meta.url), { recursive: true })
const file = new URL(`results/${values.name}-${run}.json`, import.meta.url)
writeFileSync(file, `${JSON.stringify({ name: values.name, at: new Date().toISOString(), results }, undefined, 2)}\n`)

async function onFreshServer(workload: Workload) {
  const postgres = values.database === 'postgres' ? await startPostgres() : undefined
  const database = postgres?.url ?? (values.database === 'sqlite' ? undefined : values.database)
  const servers = workload.needsServers === undefined ? undefined : await startTlsServers(workload.needsServers)
  const own = await startServerProcess({ database, settings: `${workload.settings ?? ''}${servers?.settings ?? ''}` })
  try {
    return await measure(workload, own, servers)
  } finally {
    await own.close()
    await servers?.close()
    await postgres?.stop()
  }
}

async function measure(workload: Workload, own: ServerProcess | undefined, servers?: TlsServers) {
  const say = (text: string) => process.stderr.isTTY && process.stderr.write(`\r\u001b[K${text}`)
  const rows = await workload.run({
    target: { url: values.url ?? own?.url ?? '', secret: values.secret ?? own?.secret ?? '', run, own },
    seconds: Number(values.seconds),
    scale: Number(values.scale),
    progress: (text) => void say(text),
    ...(servers ? { servers } : {}),
  })
  say('')
  return rows
}
