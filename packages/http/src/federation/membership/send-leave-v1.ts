// SPDX-License-Identifier: Apache-2.0
import { takeMembership } from '@myelin/services/federation/membership/take-membership'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { JsonObjectSchema } from '../../schemas.ts'
import { SignedEventParams } from './membership-params.ts'

/** Accepts a signed leave event, like version 2 of the operation. The spec had this version until v1.17. */
export const sendLeaveV1 = endpoint({
  id: 'sendLeaveV1',
  method: 'PUT',
  path: '/_matrix/federation/v1/send_leave/:roomId/:eventId',
  access: 'server',
  maxBodyBytes: MAX_BODY_BYTES.content,
  params: SignedEventParams,
  body: JsonObjectSchema,
  reply: Type.Tuple([Type.Literal(200), EmptySchema]),

  async handle({ origin, params: { roomId }, body: json }, rt) {
    await takeMembership(rt, { origin, roomId, membership: 'leave', json })
    return [200, {}] as const
  },
})
