// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { openPostgres } from '@myelin/storage/engine/postgres/postgres'
import { openSqlite } from '@myelin/storage/engine/sqlite/sqlite'
import { createDatabase } from './databases.ts'
import type { Engine, OpenDatabase } from './databases.ts'
import { restorePostgres } from './postgres-dump.ts'

/** The databases of earlier schemas, by the commit or release that wrote them. */
export const FIXTURES = ['091ba61'] as const

/** The content of a fixture; `files` are those of the media store, in Base64. */
export interface FixtureContents {
  readonly users: readonly {
    readonly userId: string
    readonly deviceId: string
    readonly token: string
    readonly password: string
  }[]
  /** Rooms both users are in, with the bodies of their messages, oldest first, without the redacted one's. */
  readonly rooms: readonly {
    readonly roomId: string
    readonly version: string
    readonly bodies: readonly string[]
    readonly redacted: string
    readonly readUpTo: string
  }[]
  /** A room that the second user is invited to. */
  readonly invitedTo: string
  /** A room that the second user left. */
  readonly left: string
  readonly media: { readonly uri: string; readonly content: string }
  readonly backupVersion: string
  readonly toDevice: string
  readonly files: Readonly<Record<string, string>>
  readonly madeTs: number
}

const folder = new URL('../fixtures/databases/', import.meta.url).pathname

/** Returns what a fixture has in it. */
export function contentsOf(name: string, engine: Engine): FixtureContents {
  return JSON.parse(readFileSync(join(folder, `${name}.${engine}.json`), 'utf8')) as FixtureContents
}

/** Puts the files of a fixture into a media store. */
export function restoreMedia({ files }: FixtureContents, storePath: string): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(storePath, path)), { recursive: true })
    writeFileSync(join(storePath, path), content, 'base64')
  }
}

/** A copy of a fixture's database, not opened: a path or a URL. */
export interface FixtureCopy {
  readonly place: string
  readonly remove: () => Promise<void>
}

/** Makes a copy of a fixture's database. */
export async function copyFixture(name: string, engine: Engine): Promise<FixtureCopy> {
  const dump = gunzipSync(readFileSync(join(folder, `${name}.${engine}.gz`)))
  if (engine === 'sqlite') {
    const own = await mkdtemp(join(tmpdir(), 'myelin-'))
    const place = join(own, 'homeserver.db')
    writeFileSync(place, dump)
    return { place, remove: () => rm(own, { recursive: true }) }
  }
  const { url, drop } = await createDatabase()
  await restorePostgres(url, dump.toString())
  return { place: url, remove: drop }
}

/** Returns how to open a copy of a fixture; closing removes the copy. */
export function openFixture(name: string, engine: Engine): OpenDatabase {
  return async (events = { committed: () => {} }) => {
    const { place, remove } = await copyFixture(name, engine)
    const database =
      engine === 'sqlite'
        ? await openSqlite(place, events)
        : await openPostgres({ connectionString: place, maxReaders: 3 }, events)
    const close = async () => {
      await database.close()
      await remove()
    }
    return { ...database, close }
  }
}
