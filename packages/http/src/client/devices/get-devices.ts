// SPDX-License-Identifier: Apache-2.0
import { ownDevices } from '@myelin/services/accounts/devices'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { DeviceReply, deviceReply } from './device-reply.ts'

/**
 * Returns the requester's devices.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3devices
 */
export const getDevices = endpoint({
  id: 'getDevices',
  method: 'GET',
  path: '/_matrix/client/v3/devices',
  access: 'guest',
  reply: Type.Object({ devices: Type.Array(DeviceReply) }),

  handle: async ({ requester }, rt) => ({ devices: (await ownDevices(rt, requester)).map(deviceReply) }),
})
