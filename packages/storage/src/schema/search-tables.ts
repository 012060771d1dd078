// SPDX-License-Identifier: Apache-2.0
import type { Nid } from './scalars.ts'

/** The tables of the search index. The tokens of an entry are where the engine keeps them. */
export interface SearchTables {
  /** The events that can be found. Entries of newer events have lower ids. */
  search_entries: { entry_id: number; event_nid: Nid; room_nid: Nid; sender_nid: Nid }
  /** Events behind the position of the search index that are to be looked at again. */
  search_due: { event_nid: Nid }
}
