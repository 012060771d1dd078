// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from 'node:util'
import type { UserId } from '@myelin/matrix/ids'
import type { Database } from '@myelin/storage/engine/database'
import { roomById } from '@myelin/storage/rooms/rooms'
import { openTemporaryPostgres, openTemporarySqlite } from '../packages/testing/src/databases.ts'
import { join, moveAll, stage, standing, stateOn } from '../packages/testing/src/stages/federated-stage.ts'
import { startPostgres } from '@myelin/testing/processes/postgres-server'

/**
 * `node bench/join.ts [--members 10000] [--database postgres]`: measures a join of a large room through another server:
 * the time until the user is joined, the time until all members are known, and the time during which its write
 * transactions held the log. Both servers run in this process.
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
const joining = join(set.bob, set.roomId)
while ((await standing(set.bob, set.roomId, set.bob.userId)) !== 'join') await turn()
const usableMs = performance.now() - startedMs
// The join is answered a moment after that at the latest; the clock of these servers stands still.
set.network.clock.advance(250)
const answer = await joining
if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
while ((await roomById(set.bob.server.rt.db.read, set.roomId))?.isPartial) await turn()
const wholeMs = performance.now() - startedMs
const [here, there] = [await stateOn(set.bob, set.roomId), await stateOn(set.alice, set.roomId)]
console.table([
  {
    members: Number(values.members),
    database: values.database,
    'usable, ms': Math.round(usableMs),
    'whole, ms': Math.round(wholeMs),
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

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Records the duration of each write transaction from here on. */
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
