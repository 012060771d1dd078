// SPDX-License-Identifier: Apache-2.0

/** The crash points, at which a crash leaves data in a particular state. `npm run crash -- --points` kills the server at each. */
export const CRASH_POINTS = [
  /** The write transactions of a batch have run, and the batch is not committed. */
  'units run',
  /** The batch is committed, and not synced. */
  'committed',
  /** The batch is synced, and its transactions are not answered. */
  'synced',
  /** The write-ahead log was copied into the database file (SQLite). */
  'log copied',
  /** The same, and the log is about to restart from its beginning. */
  'log to start over',
  /** The log restarts from its beginning. */
  'log starts over',
  /** An upload is on disk under a temporary name. */
  'blob received',
  /** The upload has its final name, and its folder is not synced. */
  'blob moved',
  /** The upload has its final name on disk, and no row. */
  'blob kept',
  /** PDUs of another server are staged, and the transaction is not answered. */
  'pdus staged',
  /** Another server accepted a transaction, and the cursor is not moved. */
  'transaction taken',
] as const

/** One of {@link CRASH_POINTS}. */
export type CrashPoint = (typeof CRASH_POINTS)[number]

let rehearsal: Rehearsal | undefined

/** The settings of a crash rehearsal. Only code that runs before the server's own can set them. */
export interface Rehearsal {
  /** Called at each crash point. */
  readonly reach?: (point: CrashPoint) => void
  /** The number of changed rows after which the write-ahead log is copied back. */
  readonly checkpointChanges?: number
  /** The number of statements from which a batch runs on the writer thread. */
  readonly handOverFrom?: number
}

/** Starts a crash rehearsal in this thread. No setting of a server leads here. */
export function rehearse(settings: Rehearsal): void {
  rehearsal = settings
}

/** Marks a crash point. Costs one comparison when no rehearsal is active. */
export function crashPoint(point: CrashPoint): void {
  if (rehearsal !== undefined) rehearsal.reach?.(point)
}

/** Returns the settings of the crash rehearsal, if one is active. */
export function rehearsed(): Rehearsal | undefined {
  return rehearsal
}
