// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { startOwnServer } from './own-server.ts'
import type { Workload } from './workload.ts'
import { w1 } from './workloads/w1.ts'

/**
 * `npm run bench`: runs the workloads against a server of our own, or against any homeserver with `--url URL --secret
 * REGISTRATION_SHARED_SECRET`, prints a table each and writes bench/results/*.json.
 */
const workloads: readonly Workload[] = [w1]

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    secret: { type: 'string' },
    database: { type: 'string' },
    only: { type: 'string', multiple: true },
    seconds: { type: 'string', default: '10' },
    name: { type: 'string', default: 'myelin' },
  },
})
const wanted = workloads.filter(({ name }) => !values.only || values.only.includes(name))
const run = Date.now().toString(36)
const own = values.url === undefined ? await startOwnServer({ database: values.database }) : undefined
const target = { url: values.url ?? own?.url ?? '', secret: values.secret ?? own?.secret ?? '', run, own }
const results: Record<string, unknown> = {}
try {
  for (const workload of wanted) {
    if (workload.needsOwn && !own) {
      console.log(`${workload.name}: left out, it measures a server this program starts`)
      continue
    }
    const progress = (text: string) => process.stderr.isTTY && process.stderr.write(`\r\u001b[K${text}`)
    const rows = await workload.run({
      target,
      seconds: Number(values.seconds),
      progress: (text) => void progress(text),
    })
    progress('')
    console.log(`\n${workload.name}: ${workload.title}`)
    console.table(rows)
    results[workload.name] = rows
  }
} finally {
  await own?.close()
}
mkdirSync(new URL('results', import.meta.url), { recursive: true })
const file = new URL(`results/${values.name}-${run}.json`, import.meta.url)
writeFileSync(file, `${JSON.stringify({ name: values.name, at: new Date().toISOString(), results }, undefined, 2)}\n`)
