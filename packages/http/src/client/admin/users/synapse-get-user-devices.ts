// SPDX-License-Identifier: Apache-2.0
import { devicesOfUser } from '@myelin/services/moderation/user-devices'
import { Type } from 'typebox'
import { endpoint } from '../../../endpoint.ts'
import { DeviceEntry, deviceEntry } from './device-entry.ts'
import { UserParams } from './user-replies.ts'

/**
 * Returns the devices of a user.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#list-all-devices
 */
export const synapseGetUserDevices = endpoint({
  id: 'synapseGetUserDevices',
  method: 'GET',
  path: '/_synapse/admin/v2/users/:userId/devices',
  access: 'admin',
  params: UserParams,
  reply: Type.Object({ devices: Type.Array(DeviceEntry), total: Type.Integer() }),

  async handle({ params: { userId } }, rt) {
    const { devices, hasDehydrated } = await devicesOfUser(rt, userId)
    // A dehydrated device is none of the list.
    const mark = hasDehydrated ? { dehydrated: false } : {}
    return { devices: devices.map((device) => ({ ...deviceEntry(userId, device), ...mark })), total: devices.length }
  },
})
