// SPDX-License-Identifier: Apache-2.0
import { whois } from '@myelin/services/accounts/whois'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { UserIdSchema } from '../../schemas.ts'

const Connection = Type.Object({
  ip: Type.Union([Type.String(), Type.Null()]),
  last_seen: Type.Integer(),
  user_agent: Type.Union([Type.String(), Type.Null()]),
})

/**
 * Returns the last known connection of each device of a user, newest first. All are in one session of
 * one device with an empty name, as in Synapse's answer, on which admin tools rely.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3adminwhoisuserid
 */
export const getWhoIs = endpoint({
  id: 'getWhoIs',
  method: 'GET',
  path: ['/_matrix/client/v3/admin/whois/:userId', '/_synapse/admin/v1/whois/:userId'],
  access: 'user',
  params: Type.Object({ userId: UserIdSchema }),
  reply: Type.Object({
    user_id: Type.String(),
    devices: Type.Object({
      '': Type.Object({ sessions: Type.Array(Type.Object({ connections: Type.Array(Connection) })) }),
    }),
  }),

  async handle({ params: { userId }, requester }, rt) {
    const devices = await whois(rt, requester, userId)
    const connections = devices
      .flatMap(({ lastSeenTs, lastSeenIp: ip, userAgent }) =>
        lastSeenTs === null ? [] : [{ ip, last_seen: lastSeenTs, user_agent: userAgent }],
      )
      .toSorted((one, other) => other.last_seen - one.last_seen)
    return { user_id: userId, devices: { '': { sessions: [{ connections }] } } }
  },
})
