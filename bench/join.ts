// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from 'node:util'
import type { UserId } from '@myelin/matrix/ids'
import type { Database } from '@myelin/storage/database'
import { openTemporaryPostgres, openTemporarySqlite } from '../packages/testing/src/databases.ts'
import { join, moveAll, stage, stateOn } from '../packages/testing/src/federated-stage.ts'
import { startPostgres } from '../scripts/test-postgres.ts'

/**
 * `node bench/join.ts [--members 10000] [--database postgres]`: a user joins a large room through another server. Tells how long
 * that takes, and how long the units of work in it held the log; both servers are in this process.
 */
const { values } = parseArgs({
  options: { members: { type: 'string', default: '10000' }, database: { type: 'string', default: 'sqlite' } },
})
const postgres = values.database === 'postgres' ? await startPostgres() : undefined
const set = await stage(postgres ? (events) => openTemporaryPostgres(postgres.url, events) : openTemporarySqlite)
const names = Array.from({ length: Number(values.members) }, (_, at) => `@member${at}:one.test` as UserId)
for (let start = 0; start < names.length; start += 100) await moveAll(set, names.slice(start, start + 100), 'join')
const heldMs = timed(set.bob.server.rt.db)
const startedMs = performance.now()
const answer = await join(set.bob, set.roomId)
const tookMs = performance.now() - startedMs
if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
const [here, there] = [await stateOn(set.bob, set.roomId), await stateOn(set.alice, set.roomId)]
console.table([
  {
    members: Number(values.members),
    database: values.database,
    'join, ms': Math.round(tookMs),
    units: heldMs.length,
    'longest unit, ms': Math.round(Math.max(...heldMs)),
    'last unit, ms': Math.round(heldMs.at(-1) ?? 0),
    'state is the same': here.length === there.length && here.every((id, at) => id === there[at]),
  },
])
console.log(
  'longest units, ms:',
  heldMs
    .map(Math.round)
    .toSorted((a, b) => b - a)
    .slice(0, 8)
    .join(' '),
)
await set.network.close()
await postgres?.stop()

/** How long each unit ran from here on. */
function timed(db: Database): number[] {
  const heldMs: number[] = []
  const write = db.write.bind(db)
  db.write = (work) =>
    write(async (tx) => {
      const unitMs = performance.now()
      try {
        return await work(tx)
      } finally {
        heldMs.push(performance.now() - unitMs)
      }
    })
  return heldMs
}
