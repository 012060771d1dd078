// SPDX-License-Identifier: Apache-2.0
import { serveEvent } from '@myelin/services/federation/serve/event'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { EventIdSchema } from '../../schemas.ts'
import { PdusReply } from './room-params.ts'

/**
 * Returns one event.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1eventeventid
 */
export const getEvent = endpoint({
  id: 'getEvent',
  method: 'GET',
  path: '/_matrix/federation/v1/event/:eventId',
  access: 'server',
  params: Type.Object({ eventId: EventIdSchema }),
  reply: PdusReply,

  async handle({ origin, params: { eventId } }, rt) {
    const pdu = await serveEvent(rt, origin, eventId)
    return { origin: rt.serverName, origin_server_ts: rt.clock.now(), pdus: [pdu] }
  },
})
