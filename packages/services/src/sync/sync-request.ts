// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { Membership } from '@myelin/storage/rooms/members/members'
import type { PresenceState } from '@myelin/storage/sync/presence'
import { passesRoom } from '../room-state/event-filter.ts'
import type { SyncFilter } from '../room-state/event-filter.ts'
import type { StreamToken } from '../room-state/page-token.ts'
import type { Requester } from '../runtime/runtime.ts'

/** The name under which the client asked for `state_after`, stable or of MSC4222; the response uses the same one. */
type StateAfterName = 'state_after' | 'org.matrix.msc4222.state_after'

/** The parameters of a `/sync` request. */
export interface SyncRequest {
  readonly requester: Requester
  readonly since: StreamToken | undefined
  readonly filter: SyncFilter
  readonly isFullState: boolean
  readonly stateAfter: StateAfterName | undefined
  readonly timeoutMs: number
  /** The presence that the client sets. */
  readonly presence: PresenceState
  /** Tells connections of sliding sync apart from each other and from `/sync`, where it is absent. */
  readonly connection?: string
}

/** A slice of the log: the changes that take a client from `since` to `upTo`. */
export interface Slice {
  readonly request: SyncRequest
  readonly user: UserId
  /** Undefined at the first sync. */
  readonly since: StreamToken | undefined
  readonly upTo: StreamToken
  readonly now: number
  readonly memberships: readonly Membership[]
  readonly ignored: ReadonlySet<string>
  /** The user has changed the push rules. */
  readonly hasOwnRules: boolean
}

/** Returns whether a membership changed in the slice, in a room that the filter lets through. */
export function hasChanged(slice: Slice, { position, roomId }: Membership): boolean {
  if (!passesRoom(roomId, slice.request.filter.rooms)) return false
  return slice.since === undefined || (position > slice.since.position && position <= slice.upTo.position)
}
