// SPDX-License-Identifier: Apache-2.0

/** Places where it matters what a crash leaves; `npm run crash -- --points` has the server die at each of them. */
export const CRASH_POINTS = [
  /** A batch of units has run, and is not committed. */
  'units run',
  /** It is committed, and not on disk. */
  'committed',
  /** It is on disk, and nobody was told. */
  'synced',
  /** The write-ahead log was copied into the database file. */
  'log copied',
  /** The same, and the log is about to start over. */
  'log to start over',
  /** It may start over. */
  'log starts over',
  /** An upload is on disk under a name that nobody knows. */
  'blob received',
  /** It has its name, and the folder with that name is not on disk. */
  'blob moved',
  /** It will be found, and no row says what it is. */
  'blob kept',
  /** Events of another server are on disk, and it was not told. */
  'pdus staged',
  /** Another server took what we sent, and we have not noted it. */
  'transaction taken',
] as const

export type CrashPoint = (typeof CRASH_POINTS)[number]

let rehearsal: Rehearsal | undefined

/** What a program that has servers crash may say; only code that runs before the server's own can. */
export interface Rehearsal {
  /** Called at each place. */
  readonly reach?: (point: CrashPoint) => void
  /** After so many changed rows the write-ahead log is copied back. */
  readonly checkpointChanges?: number
  /** So many statements are run by the thread that writes. */
  readonly handOverFrom?: number
}

/** Has crashes rehearsed in this thread. No setting leads here. */
export function rehearse(wishes: Rehearsal): void {
  rehearsal = wishes
}

/** Marks a place. Costs a comparison where nothing is rehearsed. */
export function crashPoint(point: CrashPoint): void {
  if (rehearsal !== undefined) rehearsal.reach?.(point)
}

/** What is rehearsed, if anything is. */
export function rehearsed(): Rehearsal | undefined {
  return rehearsal
}
