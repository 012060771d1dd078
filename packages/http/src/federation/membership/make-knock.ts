// SPDX-License-Identifier: Apache-2.0
import { makeMembership } from '@myelin/services/federation/membership/make-membership'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { encodedObject } from '../../reply-schemas.ts'
import { MembershipTemplateReply } from '../../room-replies.ts'
import { TemplateParams } from './membership-params.ts'

/**
 * Returns a knock event for another server to sign.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1make_knockroomiduserid
 */
export const makeKnock = endpoint({
  id: 'makeKnock',
  method: 'GET',
  path: '/_matrix/federation/v1/make_knock/:roomId/:userId',
  access: 'server',
  params: TemplateParams,
  query: Type.Object({ ver: Type.Array(Type.String()) }),
  reply: encodedObject(MembershipTemplateReply),

  handle: ({ origin, params: { roomId, userId }, query: { ver: versions } }, rt) =>
    makeMembership(rt, { origin, roomId, userId, membership: 'knock', versions }),
})
