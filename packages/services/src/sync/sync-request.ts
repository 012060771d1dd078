// SPDX-License-Identifier: Apache-2.0
import type { UserId, RoomId } from '@myelin/matrix/ids'
import type { Membership } from '@myelin/storage/members'
import type { SyncFilter } from '../reading/event-filter.ts'
import type { StreamToken } from '../reading/page-token.ts'
import type { Requester } from '../runtime.ts'

/** Which dialect of MSC4222 the client asked in; its answer comes under the same name. */
export type StateAfterName = 'state_after' | 'org.matrix.msc4222.state_after'

/** What a client asks of `/sync`. */
export interface SyncRequest {
  readonly requester: Requester
  readonly since: StreamToken | undefined
  readonly filter: SyncFilter
  readonly isFullState: boolean
  readonly stateAfter: StateAfterName | undefined
  readonly timeoutMs: number
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
  /** Rooms to look at; all of them where absent. A waiter that was woken knows which rooms moved. */
  readonly onlyRooms?: ReadonlySet<RoomId> | undefined
}

/** Whether a user was in a room where the slice begins, as far as their standing tells. */
export function isNewlyJoined({ since, request }: Slice, membership: Membership, joinedSince: boolean): boolean {
  return since === undefined || request.isFullState || (joinedSince && membership.position > since.position)
}
