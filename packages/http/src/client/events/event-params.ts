// SPDX-License-Identifier: Apache-2.0
import { filterObject } from '@myelin/services/account-data/filters'
import { eventFilterOf } from '@myelin/services/room-state/event-filter'
import type { EventFilter } from '@myelin/services/room-state/event-filter'
import { Type } from 'typebox'
import { EventIdSchema, RoomIdSchema } from '../../schemas.ts'

/** The parameters of a path with a room and an event. */
export const EventParams = Type.Object({ roomId: RoomIdSchema, eventId: EventIdSchema })

/**
 * Returns the room event filter of a query string; without one, a filter that passes everything.
 *
 * @throws MatrixError `M_NOT_JSON`, or `M_BAD_JSON` for JSON that is not an object
 */
export function filterFrom(text: string | undefined): EventFilter {
  if (text === undefined || text === '') return eventFilterOf(undefined)
  return eventFilterOf(filterObject(text))
}
