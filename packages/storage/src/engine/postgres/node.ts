// SPDX-License-Identifier: Apache-2.0
import { randomInt } from 'node:crypto'
import type { Database } from '../database.ts'
import type { PostgresReaders } from './readers.ts'
import { dropLeasesOf } from '../readers.ts'

/** The first key of the advisory locks that nodes hold; the second is the node's number. */
const NODES = 7306

/**
 * A node as the others see it: the connection it writes over holds a lock with its number, so the server itself tells
 * who is dead, as soon as the connection is gone. A node that hangs, or whose machine vanished without a word, still
 * has its connection: its leases run out.
 */
export class PostgresNode {
  /** Names the node, drawn by chance from two thousand million. */
  readonly number = randomInt(1, 2 ** 31)
  /** The first statement of every connection that writes. The lock is shared, as an earlier connection may be open for a while. */
  readonly opening = `select pg_advisory_lock_shared(${NODES}, ${this.number})`

  #burying: Promise<void> | undefined

  /** Frees the leases of dead nodes; concurrent calls share one run. */
  freeDeadLeases(readers: PostgresReaders, write: Database['write']): Promise<void> {
    this.#burying ??= this.#buryAll(readers, write).finally(() => (this.#burying = undefined))
    return this.#burying
  }

  async #buryAll(readers: PostgresReaders, write: Database['write']): Promise<void> {
    // The exclusive lock is granted only where the node holds none; it is released at the end of the statement.
    const text = `select distinct node from readers where node <> $1 and pg_try_advisory_xact_lock(${NODES}, node::integer)`
    const { rows } = await readers.query<{ node: number }>({ text, values: [this.number], isKept: true })
    for (const { node } of rows) {
      await write(async (tx) => {
        // It may have come back meanwhile over another connection; from here on it has to wait for the unit's end.
        const [answer] = await tx.run<{ is_dead: boolean }>(
          `select pg_try_advisory_xact_lock(${NODES}, $1::integer) as is_dead`,
          [node],
        )
        if (answer?.is_dead) await dropLeasesOf(tx, node)
      })
    }
  }
}
