// SPDX-License-Identifier: Apache-2.0
import { serveBackfill } from '@myelin/services/federation/serve/backfill'
import { serveEvent } from '@myelin/services/federation/serve/event'
import { serveEventByTime } from '@myelin/services/federation/serve/event-by-time'
import { serveMissingEvents } from '@myelin/services/federation/serve/missing-events'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { EventIdSchema, RoomIdSchema } from '../../schemas.ts'

const params = Type.Object({ roomId: RoomIdSchema })
const Names = Type.Array(EventIdSchema)

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1eventeventid */
export const getEvent = endpoint({
  id: 'getEvent',
  method: 'GET',
  path: '/_matrix/federation/v1/event/:eventId',
  access: 'server',
  params: Type.Object({ eventId: EventIdSchema }),
  async handle({ origin, params: { eventId } }, rt) {
    const pdu = await serveEvent(rt, origin, eventId)
    return { origin: rt.serverName, origin_server_ts: rt.clock.now(), pdus: [pdu] }
  },
})

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1backfillroomid */
export const backfillRoom = endpoint({
  id: 'backfillRoom',
  method: 'GET',
  path: '/_matrix/federation/v1/backfill/:roomId',
  access: 'server',
  params,
  query: Type.Object({ v: Names, limit: Type.Integer({ minimum: 0 }) }),
  async handle({ origin, params: { roomId }, query: { v: from, limit } }, rt) {
    const pdus = await serveBackfill(rt, { origin, roomId, from, limit })
    return { origin: rt.serverName, origin_server_ts: rt.clock.now(), pdus }
  },
})

/** @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1get_missing_eventsroomid */
export const getMissingPreviousEvents = endpoint({
  id: 'getMissingPreviousEvents',
  method: 'POST',
  path: '/_matrix/federation/v1/get_missing_events/:roomId',
  access: 'server',
  params,
  body: Type.Object({
    earliest_events: Names,
    latest_events: Names,
    limit: Type.Optional(Type.Integer({ minimum: 0 })),
    min_depth: Type.Optional(Type.Integer()),
  }),
  async handle({ origin, params: { roomId }, body }, rt) {
    const { earliest_events: earliest, latest_events: latest, limit = 10, min_depth: minDepth = 0 } = body
    return { events: await serveMissingEvents(rt, { origin, roomId, earliest, latest, limit, minDepth }) }
  },
})

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1timestamp_to_eventroomid */
export const getEventByTimestamp = endpoint({
  id: 'getEventByTimestamp',
  method: 'GET',
  path: '/_matrix/federation/v1/timestamp_to_event/:roomId',
  access: 'server',
  params,
  query: Type.Object({ ts: Type.Integer(), dir: Type.Union([Type.Literal('f'), Type.Literal('b')]) }),
  async handle({ origin, params: { roomId }, query: { ts, dir } }, rt) {
    const direction = dir === 'f' ? 'forward' : 'backward'
    const found = await serveEventByTime(rt, { origin, roomId, ts, direction })
    return { event_id: found.eventId, origin_server_ts: found.ts }
  },
})
