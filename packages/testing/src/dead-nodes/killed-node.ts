// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openPostgres } from '@myelin/storage/engine/postgres/postgres'
import { openSqlite } from '@myelin/storage/engine/sqlite/sqlite'
import { createDatabase } from '../databases.ts'
import type { Engine, OpenDatabase } from '../databases.ts'

/** A database that a node which was killed has left. */
export interface LeftDatabase {
  readonly open: OpenDatabase
  /** Deletes it. */
  readonly drop: () => Promise<void>
}

/** Runs `killed-work.ts` on a new database, in a process that kills itself with SIGKILL in the middle of its work. */
export async function leftByKilledNode(engine: Engine, work: string): Promise<LeftDatabase> {
  const { place, open, drop } = engine === 'sqlite' ? await sqliteFile() : await postgresDatabase()
  const file = fileURLToPath(new URL('killed-work.ts', import.meta.url))
  const node = spawn(process.execPath, [file, place, work], { stdio: 'inherit' })
  const [, signal] = (await once(node, 'exit')) as [number | null, string | null]
  if (signal !== 'SIGKILL') throw new Error(`the node was not killed in its work: ${String(signal)}`)
  return { open, drop }
}

/** Opens the database at a place, a URL or the path of a file. */
export function openAt(place: string): OpenDatabase {
  return (events = { committed: () => {} }) =>
    place.startsWith('postgres')
      ? openPostgres({ connectionString: place, maxReaders: 2 }, events)
      : openSqlite(place, events)
}

async function sqliteFile() {
  const folder = await mkdtemp(join(tmpdir(), 'myelin-'))
  const place = join(folder, 'homeserver.db')
  return { place, open: openAt(place), drop: () => rm(folder, { recursive: true }) }
}

async function postgresDatabase() {
  const { url, drop } = await createDatabase()
  return { place: url, open: openAt(url), drop }
}
