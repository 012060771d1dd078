// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { Membership } from '@myelin/storage/rooms/members/members'
import type { PresenceState } from '@myelin/storage/sync/presence'
import { passesRoom } from '../room-state/event-filter.ts'
import type { SyncFilter } from '../room-state/event-filter.ts'
import type { StreamToken } from '../room-state/page-token.ts'
import type { Requester } from '../runtime/runtime.ts'

/** Which dialect of MSC4222 the client asked in; its answer comes under the same name. */
type StateAfterName = 'state_after' | 'org.matrix.msc4222.state_after'

/** What a client asks of `/sync`. */
export interface SyncRequest {
  readonly requester: Requester
  readonly since: StreamToken | undefined
  readonly filter: SyncFilter
  readonly isFullState: boolean
  readonly stateAfter: StateAfterName | undefined
  readonly timeoutMs: number
  /** How present the client says its user is. */
  readonly presence: PresenceState
}

/** One look at the log: what a client that stands at `since` must be told to stand at `upTo`. */
export interface Slice {
  readonly request: SyncRequest
  readonly user: UserId
  /** Undefined at the first sync. */
  readonly since: StreamToken | undefined
  readonly upTo: StreamToken
  readonly now: number
  readonly memberships: readonly Membership[]
  readonly ignored: ReadonlySet<string>
  /** The user changed something about the push rules. */
  readonly hasOwnRules: boolean
}

/** Returns whether a membership changed in the slice, in a room that the filter lets through. */
export function hasChanged(slice: Slice, { position, roomId }: Membership): boolean {
  if (!passesRoom(roomId, slice.request.filter.rooms)) return false
  return slice.since === undefined || (position > slice.since.position && position <= slice.upTo.position)
}
