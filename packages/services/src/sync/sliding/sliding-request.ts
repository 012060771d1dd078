// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { PresenceState } from '@myelin/storage/sync/presence'
import type { Requester } from '../../runtime/runtime.ts'
import type { RequiredState } from './required-state.ts'

/** The parts of a room that a list or a subscription requests. */
export interface RoomConfig {
  readonly timelineLimit: number
  readonly requiredState: RequiredState
}

/** The rooms of a list; absent members match all rooms. */
export interface RoomFilters {
  readonly isDm?: boolean | undefined
  readonly isEncrypted?: boolean | undefined
  readonly isInvited?: boolean | undefined
  readonly spaces?: readonly string[] | undefined
  readonly roomTypes?: readonly (string | null)[] | undefined
  readonly notRoomTypes?: readonly (string | null)[] | undefined
  readonly roomNameLike?: string | undefined
  readonly tags?: readonly string[] | undefined
  readonly notTags?: readonly string[] | undefined
}

/** Both ends are included, and count from 0. */
export type Range = readonly [first: number, last: number]

/** A list: the rooms that its filters match, as far as its ranges reach. Without ranges it is all of them. */
interface SlidingList extends RoomConfig {
  readonly ranges: readonly Range[] | undefined
  readonly filters: RoomFilters
}

/** The form of the answer: the one that Synapse serves and clients ask for, or the one that was merged as MSC4186. */
export type Dialect = 'msc3575' | 'v4'

/** The parameters of a request of sliding sync, in either dialect. */
export interface SlidingRequest {
  readonly requester: Requester
  readonly dialect: Dialect
  /** Undefined for the first request of a connection. */
  readonly pos: string | undefined
  readonly connId: string
  readonly timeoutMs: number
  readonly presence: PresenceState
  readonly lists: ReadonlyMap<string, SlidingList>
  readonly subscriptions: ReadonlyMap<RoomId, RoomConfig>
  /** By the name of the extension. */
  readonly extensions: ReadonlyMap<string, JsonObject>
}
