// SPDX-License-Identifier: Apache-2.0
import { serveStateIds } from '@myelin/services/federation/serve/state'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { AtEventQuery, RoomParams } from './room-params.ts'

/**
 * Returns the ids of the state events of a room before an event, and of their auth chain.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1state_idsroomid
 */
export const getRoomStateIds = endpoint({
  id: 'getRoomStateIds',
  method: 'GET',
  path: '/_matrix/federation/v1/state_ids/:roomId',
  access: 'server',
  params: RoomParams,
  query: AtEventQuery,
  reply: Type.Object({ pdu_ids: Type.Array(Type.String()), auth_chain_ids: Type.Array(Type.String()) }),

  async handle({ origin, params: { roomId }, query: { event_id: eventId } }, rt) {
    const { ids, authChainIds } = await serveStateIds(rt, { origin, roomId, eventId })
    return { pdu_ids: ids, auth_chain_ids: authChainIds }
  },
})
