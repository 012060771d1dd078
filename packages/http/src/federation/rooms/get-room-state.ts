// SPDX-License-Identifier: Apache-2.0
import { serveState } from '@myelin/services/federation/serve/state'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { PduSchema } from '../../reply-schemas.ts'
import { AtEventQuery, RoomParams } from './room-params.ts'

/**
 * Returns the state of a room before an event, with its auth chain.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1stateroomid
 */
export const getRoomState = endpoint({
  id: 'getRoomState',
  method: 'GET',
  path: '/_matrix/federation/v1/state/:roomId',
  access: 'server',
  params: RoomParams,
  query: AtEventQuery,
  reply: Type.Object({ pdus: Type.Array(PduSchema), auth_chain: Type.Array(PduSchema) }),

  async handle({ origin, params: { roomId }, query: { event_id: eventId } }, rt) {
    const { pdus, authChain } = await serveState(rt, { origin, roomId, eventId })
    return { pdus, auth_chain: authChain }
  },
})
