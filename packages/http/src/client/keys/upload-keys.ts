// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'
import { uploadKeys as publishKeys } from '@myelin/services/keys/upload-keys'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { optionalOrNull } from '../../optional-or-null.ts'
import { recordOf } from '../../reply-schemas.ts'
import { mapOf } from '../../schemas.ts'
import { DeviceKeySchema, KeyNameSchema, SignaturesSchema, UserKeySchema } from './key-schemas.ts'

const DeviceKeysSchema = Type.Unsafe<JsonObject>(
  Type.Object({
    user_id: UserKeySchema,
    device_id: DeviceKeySchema,
    algorithms: Type.Array(Type.String()),
    keys: mapOf(Type.String({ maxLength: 600 }), Type.String()),
    signatures: SignaturesSchema,
  }),
)
/** Keys by name: the key alone, or an object with the device's signature. */
const NamedKeysSchema = Type.Unsafe<JsonObject>(
  mapOf(
    KeyNameSchema,
    Type.Union([Type.String(), Type.Object({ key: Type.String(), signatures: SignaturesSchema })]),
    1000,
  ),
)

/**
 * Publishes keys of the requesting device.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysupload
 */
export const uploadKeys = endpoint({
  id: 'uploadKeys',
  method: 'POST',
  path: '/_matrix/client/v3/keys/upload',
  access: 'guest',
  maxBodyBytes: MAX_BODY_BYTES.content,
  bodyIsCanonical: true,
  body: Type.Object({
    device_keys: Type.Optional(DeviceKeysSchema),
    one_time_keys: optionalOrNull(NamedKeysSchema),
    fallback_keys: optionalOrNull(NamedKeysSchema),
  }),
  reply: Type.Object({ one_time_key_counts: recordOf(Type.Integer()) }),

  async handle({ body, requester }, rt) {
    const upload = {
      deviceKeys: body.device_keys,
      oneTimeKeys: body.one_time_keys,
      fallbackKeys: body.fallback_keys,
    }
    return { one_time_key_counts: await publishKeys(rt, requester, upload) }
  },
})
