// SPDX-License-Identifier: Apache-2.0

/** The cause of an outage of a database. */
export type Outage = 'locked' | 'disk' | 'unreachable'

const MESSAGES: Readonly<Record<Outage, string>> = {
  locked: 'the database is locked by another process',
  disk: 'the disk of the database is full or cannot be written',
  unreachable: 'the database cannot be reached',
}

/**
 * The database cannot be used, for a temporary reason outside of this process. The same request may succeed later.
 *
 * A write transaction that fails with it stores nothing, except if the connection was lost during the commit.
 */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable'
  readonly outage: Outage

  constructor(outage: Outage, cause: unknown) {
    super(MESSAGES[outage], { cause })
    this.outage = outage
  }
}
