// SPDX-License-Identifier: Apache-2.0
import { nameDeviceOfUser } from '@myelin/services/moderation/user-devices'
import { Type } from 'typebox'
import { endpoint } from '../../../endpoint.ts'
import { optionalOrNull } from '../../../optional-or-null.ts'
import { EmptySchema } from '../../../reply-schemas.ts'
import { DeviceNameSchema } from '../../../schemas.ts'
import { UserDeviceParams } from './device-entry.ts'

/**
 * Sets the display name of a device of a user.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#update-a-device
 */
export const synapseUpdateUserDevice = endpoint({
  id: 'synapseUpdateUserDevice',
  method: 'PUT',
  path: '/_synapse/admin/v2/users/:userId/devices/:deviceId',
  access: 'admin',
  params: UserDeviceParams,
  body: Type.Object({ display_name: optionalOrNull(DeviceNameSchema) }),
  bodyMayBeAbsent: true,
  reply: EmptySchema,

  async handle({ params: { userId, deviceId }, body }, rt) {
    await nameDeviceOfUser(rt, userId, deviceId, body.display_name)
    return {}
  },
})
