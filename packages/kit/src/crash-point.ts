// SPDX-License-Identifier: Apache-2.0

/** Places where it matters what a crash leaves; `npm run crash -- --points` has the server die at each of them. */
export const CRASH_POINTS = [
  /** A batch of units has run, and is not committed. */
  'units run',
  /** It is committed, and not on disk. */
  'committed',
  /** The batch is synced, and its transactions are not answered. */
  'synced',
  /** The write-ahead log was copied into the database file. */
  'log copied',
  /** The same, and the log is about to start over. */
  'log to start over',
  /** It may start over. */
  'log starts over',
  /** An upload is on disk under a temporary name. */
  'blob received',
  /** It has its name, and the folder with that name is not on disk. */
  'blob moved',
  /** The upload has its final name on disk, and no row. */
  'blob kept',
  /** PDUs of another server are staged, and the transaction is not answered. */
  'pdus staged',
  /** Another server accepted a transaction, and the cursor is not moved. */
  'transaction taken',
] as const

export type CrashPoint = (typeof CRASH_POINTS)[number]

let rehearsal: Rehearsal | undefined

/** The settings of a crash rehearsal. Only code that runs before the server's own can set them. */
export interface Rehearsal {
  /** Called at each place. */
  readonly reach?: (point: CrashPoint) => void
  /** After so many changed rows the write-ahead log is copied back. */
  readonly checkpointChanges?: number
  /** The number of statements from which a batch runs on the writer thread. */
  readonly handOverFrom?: number
}

/** Starts a crash rehearsal in this thread. No setting of a server leads here. */
export function rehearse(wishes: Rehearsal): void {
  rehearsal = wishes
}

/** Marks a place. Costs a comparison where nothing is rehearsed. */
export function crashPoint(point: CrashPoint): void {
  if (rehearsal !== undefined) rehearsal.reach?.(point)
}

/** Returns the settings of the crash rehearsal, if one is active. */
export function rehearsed(): Rehearsal | undefined {
  return rehearsal
}
