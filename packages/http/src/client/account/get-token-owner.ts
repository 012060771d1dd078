// SPDX-License-Identifier: Apache-2.0
import { endpoint } from '../../endpoint.ts'

/**
 * Whose token it is.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3accountwhoami
 */
export const getTokenOwner = endpoint({
  id: 'getTokenOwner',
  method: 'GET',
  path: '/_matrix/client/v3/account/whoami',
  access: 'guest',
  handle: async ({ requester: { userId, deviceId, isGuest } }) => ({
    user_id: userId,
    device_id: deviceId,
    is_guest: isGuest,
  }),
})
