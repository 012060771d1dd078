// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { SyncScope } from '../sync-scope.ts'
import type { ConnectionState, SentRoom } from './connection-state.ts'
import type { SlidingRequest } from './sliding-request.ts'
import type { Windows } from './windows.ts'
import type { RoomResult } from './room-result.ts'

/** A request of sliding sync with the slice of the log that answers it. */
export interface SlidingScope {
  /** The slice, as the sections of `/sync` see it. */
  readonly sync: SyncScope
  readonly request: SlidingRequest
  /** Everything that the connection was sent up to the request's `pos`. */
  readonly state: ConnectionState
  readonly windows: Windows
  /** The user's direct chats. */
  readonly direct: ReadonlySet<string>
}

/** A scope whose rooms are read. Extensions see them. */
export interface AnsweredScope extends SlidingScope {
  /** The entries of rooms that have changes. */
  readonly results: ReadonlyMap<RoomId, RoomResult>
}

/** Returns the position up to which a room was sent; undefined where it was not. */
export function sentUpTo({ sync }: Pick<SlidingScope, 'sync'>, sent: SentRoom | undefined): number | undefined {
  return sent === undefined || sync.slice.since === undefined ? undefined : (sent.upTo ?? sync.after)
}
