// SPDX-License-Identifier: Apache-2.0
import { checkDatabase as check } from '@myelin/services/check-database'
import { openForReading } from '../../open-database.ts'
import { loadConfig } from '../../config/load.ts'
import { command, CommandError, configFilesOf, configOption } from '../terminal/command.ts'

/** Checks the database for contradictions and prints them. Only reads; the server may be running. */
export const checkDatabase = command({
  name: 'check-database',
  summary: 'Look whether the database contradicts itself: hashes, states, members.',
  options: { config: configOption },
  async run(values) {
    const { database } = loadConfig(configFilesOf(values))
    const db = await openForReading(database)
    let faults = 0
    try {
      for await (const { what, name, fault } of check(db.read, showProgress)) {
        faults++
        console.log(`${what} ${name}: ${fault}`)
      }
    } finally {
      await db.close()
    }
    if (faults > 0) throw new CommandError(`The database has ${faults} faults; see above.`)
    console.log('The database is in order.')
  },
})

const BAR = 40

/** Draws a progress bar if the output is a terminal. */
function showProgress(done: number, all: number): void {
  if (!process.stderr.isTTY) return
  const share = all === 0 ? 1 : done / all
  const bar = '#'.repeat(Math.round(share * BAR)).padEnd(BAR, '.')
  process.stderr.write(`\r[${bar}] ${Math.floor(share * 100)} % of ${all} rows${done >= all ? '\n' : ''}`)
}
