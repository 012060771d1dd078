// SPDX-License-Identifier: Apache-2.0
import { whois } from '@myelin/services/accounts/whois'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { UserIdSchema } from '../../schemas.ts'

/**
 * Where a user's devices were last heard of.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3adminwhoisuserid
 */
export const getWhoIs = endpoint({
  id: 'getWhoIs',
  method: 'GET',
  path: '/_matrix/client/v3/admin/whois/:userId',
  access: 'user',
  params: Type.Object({ userId: UserIdSchema }),

  async handle({ params: { userId }, requester }, rt) {
    const devices = await whois(rt, requester, userId)
    const entries = devices.map((device) => {
      const connection = { ip: device.lastSeenIp, last_seen: device.lastSeenTs, user_agent: device.userAgent }
      return [device.deviceId, { sessions: [{ connections: device.lastSeenTs === null ? [] : [connection] }] }]
    })
    return { user_id: userId, devices: Object.fromEntries(entries) as unknown }
  },
})
