// SPDX-License-Identifier: Apache-2.0
import { addDeviceOfUser } from '@myelin/services/moderation/user-devices'
import { Type } from 'typebox'
import { endpoint, Reply } from '../../../endpoint.ts'
import { EmptySchema } from '../../../reply-schemas.ts'
import { DeviceIdSchema } from '../../../schemas.ts'
import { UserParams } from './user-replies.ts'

/**
 * Creates a device of a user, without tokens.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#create-a-device
 */
export const synapseAddUserDevice = endpoint({
  id: 'synapseAddUserDevice',
  method: 'POST',
  path: '/_synapse/admin/v2/users/:userId/devices',
  access: 'admin',
  params: UserParams,
  body: Type.Object({ device_id: DeviceIdSchema }),
  reply: EmptySchema,

  async handle({ params: { userId }, body }, rt) {
    await addDeviceOfUser(rt, userId, body.device_id)
    return new Reply(201, {})
  },
})
