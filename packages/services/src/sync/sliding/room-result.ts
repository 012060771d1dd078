// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import type { Json } from '@myelin/matrix/json'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'

/** A hero of a room: clients build the name of a room without one from its heroes. */
export interface Hero {
  readonly user_id: string
  readonly displayname?: string
  readonly avatar_url?: string
}

/** The timeline of a room's entry. */
export interface ResultTimeline {
  readonly events: readonly RawJson[]
  readonly stored: readonly StoredEvent[]
  readonly isLimited: boolean
  readonly prevBatch: string
  /** The number of events at the end that came since the last answer. */
  readonly liveCount: number
}

/** The entry of a room in an answer, before it is put into a dialect. Absent members did not change. */
export interface RoomResult {
  readonly membership: string
  readonly isInitial: boolean
  readonly isExpanded: boolean
  /** Null where the room has none any more. */
  readonly name?: string | null | undefined
  readonly avatar?: string | null | undefined
  readonly heroes?: readonly Hero[] | undefined
  readonly isDm?: boolean | undefined
  readonly requiredState: readonly RawJson[]
  readonly deletedState: readonly { readonly type: string; readonly state_key: string }[]
  readonly timeline?: ResultTimeline | undefined
  readonly strippedState?: readonly Json[] | undefined
  readonly joinedCount?: number | undefined
  readonly invitedCount?: number | undefined
  readonly unread?: { readonly notification_count: number; readonly highlight_count: number } | undefined
  readonly bumpStamp?: number | undefined
  /** The unread counts may differ from those sent last. */
  readonly hasReadOn?: boolean
}

/** Returns whether a result has anything that the client does not have. */
export function hasNews(result: RoomResult): boolean {
  const { timeline, requiredState, deletedState } = result
  return (
    result.isInitial ||
    result.isExpanded ||
    result.hasReadOn === true ||
    result.isDm !== undefined ||
    result.strippedState !== undefined ||
    requiredState.length > 0 ||
    deletedState.length > 0 ||
    result.joinedCount !== undefined ||
    result.name !== undefined ||
    result.avatar !== undefined ||
    (timeline !== undefined && (timeline.events.length > 0 || timeline.isLimited))
  )
}
