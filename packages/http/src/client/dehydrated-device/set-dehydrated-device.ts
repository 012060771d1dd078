// SPDX-License-Identifier: Apache-2.0
import { setDehydratedDevice as storeDevice } from '@myelin/services/keys/dehydrated-device'
import type { JsonObject } from '@myelin/matrix/json'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { optionalOrNull } from '../../optional-or-null.ts'
import { DeviceIdSchema, DeviceNameSchema } from '../../schemas.ts'
import { UploadedDeviceKeys, UploadedNamedKeys } from '../keys/key-schemas.ts'
import { DEHYDRATED_DEVICE } from './dehydrated-device-paths.ts'

const DeviceData = Type.Unsafe<JsonObject>(Type.Object({ algorithm: Type.String() }))

/**
 * Stores the requester's dehydrated device with its keys, in place of the one before.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/3814
 */
export const setDehydratedDevice = endpoint({
  id: 'setDehydratedDevice',
  method: 'PUT',
  path: DEHYDRATED_DEVICE,
  access: 'user',
  maxBodyBytes: MAX_BODY_BYTES.content,
  bodyIsCanonical: true,
  body: Type.Object({
    device_id: DeviceIdSchema,
    device_data: DeviceData,
    initial_device_display_name: optionalOrNull(DeviceNameSchema),
    device_keys: UploadedDeviceKeys,
    one_time_keys: optionalOrNull(UploadedNamedKeys),
    fallback_keys: optionalOrNull(UploadedNamedKeys),
  }),
  reply: Type.Object({ device_id: Type.String() }),

  async handle({ body, requester }, rt) {
    await storeDevice(rt, requester, {
      deviceId: body.device_id,
      deviceData: body.device_data,
      displayName: body.initial_device_display_name,
      keys: {
        deviceKeys: body.device_keys,
        oneTimeKeys: body.one_time_keys,
        fallbackKeys: body.fallback_keys,
      },
    })
    return { device_id: body.device_id }
  },
})
