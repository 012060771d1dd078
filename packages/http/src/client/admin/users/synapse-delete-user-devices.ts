// SPDX-License-Identifier: Apache-2.0
import { deleteDevicesOfUser } from '@myelin/services/moderation/user-devices'
import { Type } from 'typebox'
import { endpoint } from '../../../endpoint.ts'
import { EmptySchema } from '../../../reply-schemas.ts'
import { DeviceIdSchema } from '../../../schemas.ts'
import { UserParams } from './user-replies.ts'

/**
 * Deletes devices of a user.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#delete-multiple-devices
 */
export const synapseDeleteUserDevices = endpoint({
  id: 'synapseDeleteUserDevices',
  method: 'POST',
  path: '/_synapse/admin/v2/users/:userId/delete_devices',
  access: 'admin',
  params: UserParams,
  body: Type.Object({ devices: Type.Array(DeviceIdSchema, { maxItems: 1000 }) }),
  reply: EmptySchema,

  async handle({ params: { userId }, body: { devices } }, rt) {
    await deleteDevicesOfUser(rt, userId, devices)
    return {}
  },
})
