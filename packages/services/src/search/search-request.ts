// SPDX-License-Identifier: Apache-2.0
import type { EventFilter } from '../room-state/event-filter.ts'
import type { SearchKey } from './tokens.ts'

/** The keys by which results can be grouped. */
export const GROUP_KEYS = ['room_id', 'sender'] as const
/** One of the keys by which results can be grouped. */
export type GroupKey = (typeof GROUP_KEYS)[number]

/** The orders of results, in the words of the API. */
export const SEARCH_ORDERS = ['rank', 'recent'] as const
/** One of the orders of results. */
export type SearchOrder = (typeof SEARCH_ORDERS)[number]

/** A search for events. */
export interface SearchRequest {
  readonly term: string
  readonly keys: readonly SearchKey[]
  readonly filter: EventFilter
  readonly order: SearchOrder
  /** The events around each result; undefined for none. */
  readonly context: ContextWish | undefined
  readonly includesState: boolean
  readonly groupBy: readonly GroupKey[]
  /** The token of the page before. */
  readonly nextBatch: string | undefined
}

/** How many events around each result are returned, and whether the profiles of their senders are. */
export interface ContextWish {
  readonly before: number
  readonly after: number
  readonly includesProfile: boolean
}
