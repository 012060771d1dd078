// SPDX-License-Identifier: Apache-2.0
import { deleteOwnDevices } from '@myelin/services/accounts/delete-devices'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { optionalOrNull } from '../../optional-or-null.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { DeviceIdSchema, JsonObjectSchema } from '../../schemas.ts'

/**
 * Deletes one of the requester's devices.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3devicesdeviceid
 */
export const deleteDevice = endpoint({
  id: 'deleteDevice',
  method: 'DELETE',
  path: '/_matrix/client/v3/devices/:deviceId',
  access: 'user',
  params: Type.Object({ deviceId: DeviceIdSchema }),
  body: Type.Object({ auth: optionalOrNull(JsonObjectSchema) }),
  bodyMayBeAbsent: true,
  reply: EmptySchema,

  async handle({ params, body, requester }, rt) {
    await deleteOwnDevices(rt, requester, [params.deviceId], body.auth)
    return {}
  },
})
