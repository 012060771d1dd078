// SPDX-License-Identifier: Apache-2.0
import { nameOwnDevice, putDeviceForAppService } from '@myelin/services/accounts/devices'
import { Type } from 'typebox'
import { endpoint, Reply } from '../../endpoint.ts'
import { optionalOrNull } from '../../optional-or-null.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { DeviceIdSchema, DeviceNameSchema } from '../../schemas.ts'

/**
 * Sets the display name of one of the requester's devices. Application services create devices by it.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3devicesdeviceid
 */
export const updateDevice = endpoint({
  id: 'updateDevice',
  method: 'PUT',
  path: '/_matrix/client/v3/devices/:deviceId',
  access: 'guest',
  params: Type.Object({ deviceId: DeviceIdSchema }),
  body: Type.Object({ display_name: optionalOrNull(DeviceNameSchema) }),
  reply: EmptySchema,

  async handle({ params, body, requester }, rt) {
    if (requester.appService) {
      const isNew = await putDeviceForAppService(rt, requester, params.deviceId, body.display_name)
      return new Reply(isNew ? 201 : 200, {})
    }
    await nameOwnDevice(rt, requester, params.deviceId, body.display_name)
    return {}
  },
})
