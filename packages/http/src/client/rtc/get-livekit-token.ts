// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isServerName } from '@myelin/matrix/ids'
import { callToken } from '@myelin/services/rtc/call-token'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { OptionalText } from '../../schemas.ts'
import { PLACE_MEMBERS, placeOf, TokenReply } from './rtc-schemas.ts'

/**
 * Returns a token for a LiveKit SFU, of this server or another one.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4195
 */
export const getLivekitToken = endpoint({
  id: 'getLivekitToken',
  method: 'POST',
  path: '/_matrix/client/unstable/io.element.msc4195/rtc/livekit/get_token',
  access: 'guest',
  body: Type.Object({ url: Type.String(), server_name: OptionalText, ...PLACE_MEMBERS }),
  reply: TokenReply,

  async handle({ body, requester }, rt) {
    rt.limits.take('callTokens', requester.userId)
    const server = body.server_name
    if (server !== undefined && !isServerName(server))
      throw new MatrixError('M_INVALID_PARAM', '`server_name` must be a server name')
    const place = placeOf(body, requester.deviceId)
    return { jwt: await callToken(rt, requester, { ...place, url: body.url, server }) }
  },
})
