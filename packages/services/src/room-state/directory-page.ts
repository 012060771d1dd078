// SPDX-License-Identifier: Apache-2.0
import type { RoomEntry } from './room-entry.ts'

/** What a client wants of the directory. */
export interface DirectoryQuery {
  readonly limit?: number | undefined
  readonly since?: string | undefined
  /** A text that name, topic or alias contain. */
  readonly term?: string | undefined
  /** The types of rooms wanted; null is rooms without one. */
  readonly roomTypes?: readonly (string | null)[] | undefined
  /** Only rooms of a bridged network; we know none. */
  readonly network?: string | undefined
  /** Asked by another server: rooms it cannot enter are left out. */
  readonly isForServers?: boolean
}

/** A page of the directory, in the members of the wire. */
export interface DirectoryPage {
  readonly chunk: readonly RoomEntry[]
  readonly next_batch?: string
  readonly prev_batch?: string
  readonly total_room_count_estimate: number
}
