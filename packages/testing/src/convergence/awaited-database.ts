// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from '@myelin/storage/engine/database'
import { openSqlite } from '@myelin/storage/engine/sqlite/sqlite'
import type { OpenDatabase } from '../databases.ts'
import type { Chance } from './chance.ts'
import { slowDatabase } from './slow-database.ts'
import type { Awaited } from './slow-database.ts'

/** A folder in memory: durability is not tested here. */
const FOLDER = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** Databases whose commits a stopped clock can wait for: the time of the disk is not the time of the test. */
export class AwaitedDatabases implements Awaited {
  readonly #chance: Chance | undefined
  #underWay = 0

  /** With a chance of their own, they are late: see `slowDatabase`. */
  constructor(chance?: Chance) {
    this.#chance = chance
  }

  /** Returns whether a write or a delayed result is pending. */
  get isBusy(): boolean {
    return this.#underWay > 0
  }

  async during<Value>(doing: () => Promise<Value>): Promise<Value> {
    this.#underWay++
    try {
      return await doing()
    } finally {
      this.#underWay--
    }
  }

  /** Opens one, in a folder of its own. */
  readonly open: OpenDatabase = async (events) => {
    const folder = await mkdtemp(join(FOLDER, 'myelin-'))
    const opened = await openSqlite(join(folder, 'homeserver.db'), events ?? { committed: () => {} })
    const database = this.#chance ? slowDatabase(opened, this.#chance, this) : opened
    const write: Database['write'] = (work) => this.during(() => database.write(work))
    const close = async () => {
      await database.close()
      await rm(folder, { recursive: true })
    }
    return { ...database, write, close }
  }
}
