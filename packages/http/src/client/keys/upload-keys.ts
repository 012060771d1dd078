// SPDX-License-Identifier: Apache-2.0
import { uploadKeys as publishKeys } from '@myelin/services/keys/upload-keys'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { optionalOrNull } from '../../optional-or-null.ts'
import { recordOf } from '../../reply-schemas.ts'
import { UploadedDeviceKeys, UploadedNamedKeys } from './key-schemas.ts'

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
    device_keys: Type.Optional(UploadedDeviceKeys),
    one_time_keys: optionalOrNull(UploadedNamedKeys),
    fallback_keys: optionalOrNull(UploadedNamedKeys),
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
