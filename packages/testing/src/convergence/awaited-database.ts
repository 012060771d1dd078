// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from '@myelin/storage/database'
import { openSqlite } from '@myelin/storage/sqlite'
import type { OpenDatabase } from '../databases.ts'

/** Where a file costs no disk: what is tested here is not that it lasts. */
const FOLDER = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** Databases whose commits a stopped clock can wait for: the time of the disk is not the time of the test. */
export class AwaitedDatabases {
  #writing = 0

  /** Whether something is being written. */
  get isBusy(): boolean {
    return this.#writing > 0
  }

  /** Opens one, in a folder of its own. */
  readonly open: OpenDatabase = async (events) => {
    const folder = await mkdtemp(join(FOLDER, 'myelin-'))
    const database = await openSqlite(join(folder, 'homeserver.db'), events ?? { committed: () => {} })
    const write: Database['write'] = async (work) => {
      this.#writing++
      try {
        return await database.write(work)
      } finally {
        this.#writing--
      }
    }
    const close = async () => {
      await database.close()
      await rm(folder, { recursive: true })
    }
    return { ...database, write, close }
  }
}
