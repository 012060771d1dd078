// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { inviteUser as invite } from '@myelin/services/rooms/membership'
import { inviteAddress } from '@myelin/services/rooms/third-party-invite'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { optionalOrNull } from '../../optional-or-null.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { OptionalText, UserIdSchema } from '../../schemas.ts'
import { addressOf } from './invited-address.ts'
import { reasonOf, RoomParams } from './membership-params.ts'

/**
 * Invites a user to a room, or the user of an e-mail address or a phone number.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidinvite
 */
export const inviteUser = endpoint({
  id: 'inviteUser',
  alsoServes: ['inviteBy3PID'],
  method: 'POST',
  path: '/_matrix/client/v3/rooms/:roomId/invite',
  access: 'user',
  params: RoomParams,
  body: Type.Object({
    user_id: Type.Optional(UserIdSchema),
    reason: optionalOrNull(Type.String()),
    medium: OptionalText,
    address: OptionalText,
    id_server: OptionalText,
    id_access_token: OptionalText,
  }),
  reply: EmptySchema,

  async handle({ params: { roomId }, body, requester }, rt) {
    const sender = requester.userId
    if (body.user_id !== undefined) await invite(rt, { roomId, sender, target: body.user_id }, reasonOf(body))
    else if (body.medium === undefined && body.address === undefined && body.id_server === undefined)
      throw new MatrixError('M_MISSING_PARAM', '`user_id` is missing')
    else await inviteAddress(rt, { roomId, sender, ...addressOf(body) })
    return {}
  },
})
