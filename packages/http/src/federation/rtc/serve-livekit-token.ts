// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { serverOf } from '@myelin/matrix/ids'
import { ownCallToken } from '@myelin/services/rtc/call-token'
import { Type } from 'typebox'
import { PLACE_MEMBERS, placeOf, TokenReply } from '../../client/rtc/rtc-schemas.ts'
import { endpoint } from '../../endpoint.ts'
import { UserIdSchema } from '../../schemas.ts'

/**
 * Returns a token of this server's SFU for a user of the requesting server.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4195
 */
export const serveLivekitToken = endpoint({
  id: 'serveLivekitToken',
  method: 'POST',
  path: '/_matrix/federation/unstable/io.element.msc4195/rtc/livekit/get_token',
  access: 'server',
  body: Type.Object({ user_id: UserIdSchema, url: Type.String(), ...PLACE_MEMBERS }),
  reply: TokenReply,

  async handle({ body, origin }, rt) {
    if (serverOf(body.user_id) !== origin)
      throw new MatrixError('M_FORBIDDEN', 'the user is not of the requesting server')
    return { jwt: await ownCallToken(rt, body.user_id, { ...placeOf(body, ''), url: body.url }) }
  },
})
