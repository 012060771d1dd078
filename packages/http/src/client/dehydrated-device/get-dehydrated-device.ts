// SPDX-License-Identifier: Apache-2.0
import { readDehydratedDevice } from '@myelin/services/keys/dehydrated-device'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { ObjectSchema } from '../../reply-schemas.ts'
import { DEHYDRATED_DEVICE } from './dehydrated-device-paths.ts'

/**
 * Returns the requester's dehydrated device.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/3814
 */
export const getDehydratedDevice = endpoint({
  id: 'getDehydratedDevice',
  method: 'GET',
  path: DEHYDRATED_DEVICE,
  access: 'user',
  reply: Type.Object({ device_id: Type.String(), device_data: ObjectSchema }),

  async handle({ requester }, rt) {
    const { deviceId, deviceData } = await readDehydratedDevice(rt, requester)
    return { device_id: deviceId, device_data: deviceData }
  },
})
