// SPDX-License-Identifier: Apache-2.0
import { uploadSignatures } from '@myelin/services/keys/upload-signatures'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { JsonObjectSchema, mapOf } from '../../schemas.ts'
import { DeviceKeySchema, FailuresReply, UserKeySchema } from './key-schemas.ts'

/**
 * Publishes the requester's signatures on keys.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keyssignaturesupload
 */
export const uploadCrossSigningSignatures = endpoint({
  id: 'uploadCrossSigningSignatures',
  method: 'POST',
  path: ['/_matrix/client/v3/keys/signatures/upload', '/_matrix/client/unstable/keys/signatures/upload'],
  access: 'guest',
  maxBodyBytes: MAX_BODY_BYTES.content,
  bodyIsCanonical: true,
  body: mapOf(UserKeySchema, mapOf(DeviceKeySchema, JsonObjectSchema)),
  reply: Type.Object({ failures: FailuresReply }),

  handle: async ({ body, requester }, rt) => ({ failures: await uploadSignatures(rt, requester.userId, body) }),
})
