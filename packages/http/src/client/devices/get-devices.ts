// SPDX-License-Identifier: Apache-2.0
import { ownDevice, ownDevices } from '@myelin/services/accounts/devices'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { DeviceIdSchema } from '../session/device-schemas.ts'
import { deviceBody } from './device-body.ts'

/**
 * The devices of the user who asks.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3devices
 */
export const getDevices = endpoint({
  id: 'getDevices',
  method: 'GET',
  path: '/_matrix/client/v3/devices',
  access: 'guest',
  handle: async ({ requester }, rt) => ({ devices: (await ownDevices(rt, requester)).map(deviceBody) }),
})

/**
 * One device of the user who asks.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3devicesdeviceid
 */
export const getDevice = endpoint({
  id: 'getDevice',
  method: 'GET',
  path: '/_matrix/client/v3/devices/:deviceId',
  access: 'guest',
  params: Type.Object({ deviceId: DeviceIdSchema }),
  handle: async ({ params, requester }, rt) => deviceBody(await ownDevice(rt, requester, params.deviceId)),
})
