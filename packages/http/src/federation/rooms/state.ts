// SPDX-License-Identifier: Apache-2.0
import { serveEventAuth } from '@myelin/services/federation/serve/event-auth'
import { serveState, serveStateIds } from '@myelin/services/federation/serve/state'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { EventIdSchema, RoomIdSchema } from '../../schemas.ts'

const params = Type.Object({ roomId: RoomIdSchema })
const query = Type.Object({ event_id: EventIdSchema })

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1stateroomid */
export const getRoomState = endpoint({
  id: 'getRoomState',
  method: 'GET',
  path: '/_matrix/federation/v1/state/:roomId',
  access: 'server',
  params,
  query,
  async handle({ origin, params: { roomId }, query: { event_id: eventId } }, rt) {
    const { pdus, authChain } = await serveState(rt, { origin, roomId, eventId })
    return { pdus, auth_chain: authChain }
  },
})

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1state_idsroomid */
export const getRoomStateIds = endpoint({
  id: 'getRoomStateIds',
  method: 'GET',
  path: '/_matrix/federation/v1/state_ids/:roomId',
  access: 'server',
  params,
  query,
  async handle({ origin, params: { roomId }, query: { event_id: eventId } }, rt) {
    const { ids, authChainIds } = await serveStateIds(rt, { origin, roomId, eventId })
    return { pdu_ids: ids, auth_chain_ids: authChainIds }
  },
})

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1event_authroomideventid */
export const getEventAuth = endpoint({
  id: 'getEventAuth',
  method: 'GET',
  path: '/_matrix/federation/v1/event_auth/:roomId/:eventId',
  access: 'server',
  params: Type.Object({ roomId: RoomIdSchema, eventId: EventIdSchema }),
  async handle({ origin, params: { roomId, eventId } }, rt) {
    return { auth_chain: await serveEventAuth(rt, origin, roomId, eventId) }
  },
})
