// SPDX-License-Identifier: Apache-2.0
import type { Database, Read } from '@myelin/storage/engine/database'
import type { Kysely, KyselyPlugin } from 'kysely'
import type { Tables } from '@myelin/storage/schema/schema'
import type { Chance } from './chance.ts'

/** One answer in so many is late, and one in as many of those is very late. */
const LATE = 8
const A_LITTLE = 4
const VERY = 40

/** Receives the start and the end of pending work. */
export interface Awaited {
  during<Value>(doing: () => Promise<Value>): Promise<Value>
}

/**
 * Returns a database whose results are randomly delayed, as on a busy machine: they arrive out of order, and may be stale.
 */
export function slowDatabase(database: Database, chance: Chance, awaited: Awaited): Database {
  const pause = async () => {
    if (chance.below(LATE) > 0) return
    const turns = chance.below(LATE) > 0 ? chance.below(A_LITTLE) : chance.below(VERY)
    await awaited.during(async () => {
      for (let turn = 0; turn <= turns; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
    })
  }
  // Units are begun in the order in which they were asked for: so it is promised.
  let begun = Promise.resolve()
  const write: Database['write'] = async (work) => {
    begun = begun.then(pause)
    await begun
    const result = await database.write(work)
    await pause()
    return result
  }
  return { ...database, read: slowRead(database.read, pause), write }
}

function slowRead(read: Read, pause: () => Promise<void>): Read {
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => {
      await pause()
      return result
    },
  }
  const { caches, topicPositions, dialect, search } = read
  const run: Read['run'] = async (sql, parameters) => {
    const rows = await read.run<never>(sql, parameters)
    await pause()
    return rows
  }
  return Object.assign((read as Read & Kysely<Tables>).withPlugin(plugin), {
    caches,
    topicPositions,
    dialect,
    search,
    run,
  })
}
