// SPDX-License-Identifier: Apache-2.0
import { serveMissingEvents } from '@myelin/services/federation/serve/missing-events'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { PduSchema } from '../../reply-schemas.ts'
import { OptionalLimit, OptionalInteger } from '../../schemas.ts'
import { EventIds, RoomParams } from './room-params.ts'

const DEFAULT_LIMIT = 10

/**
 * Returns the events of a room between given ones, oldest first.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1get_missing_eventsroomid
 */
export const getMissingPreviousEvents = endpoint({
  id: 'getMissingPreviousEvents',
  method: 'POST',
  path: '/_matrix/federation/v1/get_missing_events/:roomId',
  access: 'server',
  maxBodyBytes: MAX_BODY_BYTES.document,
  params: RoomParams,
  body: Type.Object({
    earliest_events: EventIds,
    latest_events: EventIds,
    limit: OptionalLimit,
    min_depth: OptionalInteger,
  }),
  reply: Type.Object({ events: Type.Array(PduSchema) }),

  async handle({ origin, params: { roomId }, body }, rt) {
    const { earliest_events: earliest, latest_events: latest, limit = DEFAULT_LIMIT, min_depth: minDepth = 0 } = body
    return { events: await serveMissingEvents(rt, { origin, roomId, earliest, latest, limit, minDepth }) }
  },
})
