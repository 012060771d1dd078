// SPDX-License-Identifier: Apache-2.0
import { randomInt } from 'node:crypto'
import type { Database } from '../database.ts'
import type { PostgresReaders } from './readers.ts'
import { dropLeasesOf } from '../readers.ts'

/** The first key of the advisory locks that nodes hold; the second is the node's number. */
const NODES = 7306

/**
 * A node and its presence lock. The writing connection holds an advisory lock with the node's number. The server frees it
 * when the connection ends, so the other nodes notice a dead node at once. The leases of a hanging or unreachable node, whose
 * connection stays, expire.
 */
export class PostgresNode {
  /** The number of the node, random below 2^31. */
  readonly number = randomInt(1, 2 ** 31)
  /** The first statement of every writing connection. The lock is shared, because an earlier connection may still be open. */
  readonly opening = `select pg_advisory_lock_shared(${NODES}, ${this.number})`

  #burying: Promise<void> | undefined

  /** Frees the leases of dead nodes; concurrent calls share one run. */
  freeDeadLeases(readers: PostgresReaders, write: Database['write']): Promise<void> {
    this.#burying ??= this.#buryAll(readers, write).finally(() => (this.#burying = undefined))
    return this.#burying
  }

  async #buryAll(readers: PostgresReaders, write: Database['write']): Promise<void> {
    // The exclusive lock is granted only if the node holds none; it is released at the end of the statement.
    const text = `select distinct node from readers where node <> $1 and pg_try_advisory_xact_lock(${NODES}, node::integer)`
    const { rows } = await readers.query<{ node: number }>({ text, values: [this.number], isKept: true })
    for (const { node } of rows) {
      await write(async (tx) => {
        // The node may have reconnected meanwhile; from here on, its lock waits for the end of this unit.
        const [answer] = await tx.run<{ is_dead: boolean }>(
          `select pg_try_advisory_xact_lock(${NODES}, $1::integer) as is_dead`,
          [node],
        )
        if (answer?.is_dead) await dropLeasesOf(tx, node)
      })
    }
  }
}
