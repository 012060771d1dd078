// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isObject } from '@myelin/matrix/json'
import { parseJson } from '@myelin/matrix/parse-json'
import { eventFilterOf } from '@myelin/services/room-state/event-filter'
import type { EventFilter } from '@myelin/services/room-state/event-filter'
import { Type } from 'typebox'
import { EventIdSchema, RoomIdSchema } from '../../schemas.ts'

/** The parameters of a path with a room and an event. */
export const EventParams = Type.Object({ roomId: RoomIdSchema, eventId: EventIdSchema })

/**
 * Returns the room event filter of a query string, where it is JSON.
 *
 * @throws MatrixError `M_BAD_JSON`
 */
export function filterFrom(text: string | undefined): EventFilter {
  if (text === undefined || text === '') return eventFilterOf(undefined)
  const json = parseJson(text)
  if (!isObject(json)) throw new MatrixError('M_BAD_JSON', '`filter` must be a JSON object')
  return eventFilterOf(json)
}
