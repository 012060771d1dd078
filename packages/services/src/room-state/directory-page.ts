// SPDX-License-Identifier: Apache-2.0
import type { RoomEntry } from './room-entry.ts'

/** A query of the room directory. */
export interface DirectoryQuery {
  readonly limit?: number | undefined
  readonly since?: string | undefined
  /** A text that the name, topic or alias must contain. */
  readonly term?: string | undefined
  /** The wanted room types; null is rooms without one. */
  readonly roomTypes?: readonly (string | null)[] | undefined
  /** The `instance_id` of a bridged network, whose directory is listed instead of the server's. */
  readonly network?: string | undefined
  /** The directories of the server and of all bridged networks are listed together; `network` has no effect. */
  readonly isOfAllNetworks?: boolean | undefined
  /** Another server made the request, so rooms closed to other servers are omitted. */
  readonly isForServers?: boolean
}

/** A page of the directory, in the wire format. */
export interface DirectoryPage {
  readonly chunk: readonly RoomEntry[]
  readonly next_batch?: string
  readonly prev_batch?: string
  readonly total_room_count_estimate: number
}
