// SPDX-License-Identifier: Apache-2.0
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import type { SigningKey } from '@myelin/matrix/signatures'
import type { ForeignRoom } from '../foreign-room.ts'

/** A request that a simulated server got. */
export interface SimulatedRequest {
  readonly server: ServerName
  readonly method: string
  readonly target: string
  readonly body: string
  readonly atMs: number
}

/** The part of a set of simulated servers that their answers are made of. */
export interface AnsweringServers {
  readonly names: readonly ServerName[]
  readonly rooms: ReadonlyMap<RoomId, ForeignRoom>
  /** Returns the signing key of a server. */
  keyOf(server: string): SigningKey
}
