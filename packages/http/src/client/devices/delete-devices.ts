// SPDX-License-Identifier: Apache-2.0
import { deleteOwnDevices } from '@myelin/services/accounts/delete-devices'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { JsonObjectSchema } from '../../schemas.ts'
import { DeviceIdSchema } from '../session/device-schemas.ts'

/**
 * Deletes a device of the user who asks.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3devicesdeviceid
 */
export const deleteDevice = endpoint({
  id: 'deleteDevice',
  method: 'DELETE',
  path: '/_matrix/client/v3/devices/:deviceId',
  access: 'user',
  params: Type.Object({ deviceId: DeviceIdSchema }),
  body: Type.Object({ auth: Type.Optional(JsonObjectSchema) }),
  bodyMayBeAbsent: true,

  async handle({ params, body, requester }, rt) {
    await deleteOwnDevices(rt, requester, [params.deviceId], body.auth)
    return {}
  },
})

/**
 * Deletes devices of the user who asks.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3delete_devices
 */
export const deleteDevices = endpoint({
  id: 'deleteDevices',
  method: 'POST',
  path: '/_matrix/client/v3/delete_devices',
  access: 'user',
  body: Type.Object({
    devices: Type.Array(DeviceIdSchema, { maxItems: 1000 }),
    auth: Type.Optional(JsonObjectSchema),
  }),

  async handle({ body, requester }, rt) {
    await deleteOwnDevices(rt, requester, body.devices, body.auth)
    return {}
  },
})
