// SPDX-License-Identifier: Apache-2.0
import type { Nid } from './scalars.ts'

/** The tables of networks that application services bridge. */
export interface NetworkTables {
  /** The rooms in the directories of networks. */
  network_rooms: { service_id: string; network_id: string; room_nid: Nid }
}
