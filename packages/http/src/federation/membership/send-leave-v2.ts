// SPDX-License-Identifier: Apache-2.0
import { takeMembership } from '@myelin/services/federation/membership/take-membership'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { JsonObjectSchema } from '../../schemas.ts'
import { SignedEventParams } from './membership-params.ts'

/**
 * Accepts a signed leave event.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2send_leaveroomideventid
 */
export const sendLeaveV2 = endpoint({
  id: 'sendLeaveV2',
  method: 'PUT',
  path: '/_matrix/federation/v2/send_leave/:roomId/:eventId',
  access: 'server',
  maxBodyBytes: MAX_BODY_BYTES.content,
  params: SignedEventParams,
  body: JsonObjectSchema,
  reply: EmptySchema,

  async handle({ origin, params: { roomId }, body: json }, rt) {
    await takeMembership(rt, { origin, roomId, membership: 'leave', json })
    return {}
  },
})
