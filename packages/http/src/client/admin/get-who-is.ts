// SPDX-License-Identifier: Apache-2.0
import { whois } from '@myelin/services/accounts/whois'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { recordOf } from '../../reply-schemas.ts'
import { UserIdSchema } from '../../schemas.ts'

const Connection = Type.Object({
  ip: Type.Union([Type.String(), Type.Null()]),
  last_seen: Type.Integer(),
  user_agent: Type.Union([Type.String(), Type.Null()]),
})

/**
 * Returns the last known connection of each device of a user.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3adminwhoisuserid
 */
export const getWhoIs = endpoint({
  id: 'getWhoIs',
  method: 'GET',
  path: '/_matrix/client/v3/admin/whois/:userId',
  access: 'user',
  params: Type.Object({ userId: UserIdSchema }),
  reply: Type.Object({
    user_id: Type.String(),
    devices: recordOf(Type.Object({ sessions: Type.Array(Type.Object({ connections: Type.Array(Connection) })) })),
  }),

  async handle({ params: { userId }, requester }, rt) {
    const devices = await whois(rt, requester, userId)
    const entries = devices.map(({ deviceId, lastSeenTs, lastSeenIp: ip, userAgent }) => {
      const connections = lastSeenTs === null ? [] : [{ ip, last_seen: lastSeenTs, user_agent: userAgent }]
      return [deviceId, { sessions: [{ connections }] }] as const
    })
    return { user_id: userId, devices: Object.fromEntries(entries) }
  },
})
