// SPDX-License-Identifier: Apache-2.0
import { deviceOfUser } from '@myelin/services/moderation/user-devices'
import { endpoint } from '../../../endpoint.ts'
import { DeviceEntry, deviceEntry, UserDeviceParams } from './device-entry.ts'

/**
 * Returns a device of a user.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#show-a-device
 */
export const synapseGetUserDevice = endpoint({
  id: 'synapseGetUserDevice',
  method: 'GET',
  path: '/_synapse/admin/v2/users/:userId/devices/:deviceId',
  access: 'admin',
  params: UserDeviceParams,
  reply: DeviceEntry,

  async handle({ params: { userId, deviceId } }, rt) {
    return deviceEntry(userId, await deviceOfUser(rt, userId, deviceId))
  },
})
