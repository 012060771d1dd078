// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'

/**
 * Returns the user and the device that an access token belongs to.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3accountwhoami
 */
export const getTokenOwner = endpoint({
  id: 'getTokenOwner',
  method: 'GET',
  path: '/_matrix/client/v3/account/whoami',
  access: 'guest',
  reply: Type.Object({ user_id: Type.String(), device_id: Type.Optional(Type.String()), is_guest: Type.Boolean() }),

  handle: async ({ requester: { userId, deviceId, isGuest } }) => ({
    user_id: userId,
    // Application services act without a device unless they name one.
    ...(deviceId === '' ? {} : { device_id: deviceId }),
    is_guest: isGuest,
  }),
})
