// SPDX-License-Identifier: Apache-2.0
import { deleteDevicesOfUser } from '@myelin/services/moderation/user-devices'
import { endpoint } from '../../../endpoint.ts'
import { EmptySchema } from '../../../reply-schemas.ts'
import { UserDeviceParams } from './device-entry.ts'

/**
 * Deletes a device of a user.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#delete-a-device
 */
export const synapseDeleteUserDevice = endpoint({
  id: 'synapseDeleteUserDevice',
  method: 'DELETE',
  path: '/_synapse/admin/v2/users/:userId/devices/:deviceId',
  access: 'admin',
  params: UserDeviceParams,
  reply: EmptySchema,

  async handle({ params: { userId, deviceId } }, rt) {
    await deleteDevicesOfUser(rt, userId, [deviceId])
    return {}
  },
})
