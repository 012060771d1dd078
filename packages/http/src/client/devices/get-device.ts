// SPDX-License-Identifier: Apache-2.0
import { ownDevice } from '@myelin/services/accounts/devices'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { DeviceIdSchema } from '../../schemas.ts'
import { DeviceReply, deviceReply } from './device-reply.ts'

/**
 * Returns one of the requester's devices.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3devicesdeviceid
 */
export const getDevice = endpoint({
  id: 'getDevice',
  method: 'GET',
  path: '/_matrix/client/v3/devices/:deviceId',
  access: 'guest',
  params: Type.Object({ deviceId: DeviceIdSchema }),
  reply: DeviceReply,

  handle: async ({ params, requester }, rt) => deviceReply(await ownDevice(rt, requester, params.deviceId)),
})
