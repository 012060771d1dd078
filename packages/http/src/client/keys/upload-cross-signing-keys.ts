// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'
import { uploadCrossSigningKeys as publishKeys } from '@myelin/services/keys/upload-cross-signing-keys'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { optionalOrNull } from '../../optional-or-null.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { JsonObjectSchema, mapOf } from '../../schemas.ts'
import { SignaturesSchema, UserKeySchema } from './key-schemas.ts'

const CrossSigningKeySchema = Type.Unsafe<JsonObject>(
  Type.Object({
    user_id: UserKeySchema,
    usage: Type.Array(Type.String(), { maxItems: 10 }),
    keys: mapOf(Type.String({ maxLength: 255 }), Type.String({ maxLength: 255 })),
    signatures: Type.Optional(SignaturesSchema),
  }),
)

/**
 * Publishes the requester's cross-signing keys.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysdevice_signingupload
 */
export const uploadCrossSigningKeys = endpoint({
  id: 'uploadCrossSigningKeys',
  method: 'POST',
  path: ['/_matrix/client/v3/keys/device_signing/upload', '/_matrix/client/unstable/keys/device_signing/upload'],
  access: 'user',
  maxBodyBytes: MAX_BODY_BYTES.document,
  bodyIsCanonical: true,
  body: Type.Object({
    auth: optionalOrNull(JsonObjectSchema),
    master_key: optionalOrNull(CrossSigningKeySchema),
    self_signing_key: optionalOrNull(CrossSigningKeySchema),
    user_signing_key: optionalOrNull(CrossSigningKeySchema),
  }),
  reply: EmptySchema,

  async handle({ body, requester }, rt) {
    const { auth, master_key: master, self_signing_key: selfSigning, user_signing_key: userSigning } = body
    const upload = {
      ...(master && { master }),
      ...(selfSigning && { self_signing: selfSigning }),
      ...(userSigning && { user_signing: userSigning }),
    }
    await publishKeys(rt, requester, upload, auth)
    return {}
  },
})
