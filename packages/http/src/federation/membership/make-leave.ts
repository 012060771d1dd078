// SPDX-License-Identifier: Apache-2.0
import { makeMembership } from '@myelin/services/federation/membership/make-membership'
import { endpoint } from '../../endpoint.ts'
import { encodedObject } from '../../reply-schemas.ts'
import { MembershipTemplateReply } from '../../room-replies.ts'
import { TemplateParams } from './membership-params.ts'

/**
 * Returns a leave event for another server to sign.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1make_leaveroomiduserid
 */
export const makeLeave = endpoint({
  id: 'makeLeave',
  method: 'GET',
  path: '/_matrix/federation/v1/make_leave/:roomId/:userId',
  access: 'server',
  params: TemplateParams,
  reply: encodedObject(MembershipTemplateReply),

  handle: ({ origin, params: { roomId, userId } }, rt) =>
    makeMembership(rt, { origin, roomId, userId, membership: 'leave' }),
})
