// SPDX-License-Identifier: Apache-2.0
import { queryKeys as loadKeys } from '@myelin/services/keys/query-keys'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { optionalOrNull } from '../../optional-or-null.ts'
import { mapOf } from '../../schemas.ts'
import {
  CrossSigningKeysByUser,
  DeviceKeySchema,
  DeviceKeysByUser,
  FailuresReply,
  UserKeySchema,
} from './key-schemas.ts'

/**
 * Returns the identity keys of users' devices, and their cross-signing keys.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysquery
 */
export const queryKeys = endpoint({
  id: 'queryKeys',
  method: 'POST',
  path: '/_matrix/client/v3/keys/query',
  access: 'guest',
  maxBodyBytes: MAX_BODY_BYTES.batch,
  body: Type.Object({
    timeout: optionalOrNull(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
    device_keys: mapOf(UserKeySchema, Type.Array(DeviceKeySchema)),
  }),
  reply: Type.Object({
    device_keys: DeviceKeysByUser,
    master_keys: CrossSigningKeysByUser,
    self_signing_keys: CrossSigningKeysByUser,
    user_signing_keys: CrossSigningKeysByUser,
    failures: FailuresReply,
  }),

  async handle({ body: { device_keys: wanted, timeout }, requester }, rt) {
    const { deviceKeys, crossSigningKeys, failures } = await loadKeys(rt, requester.userId, wanted, timeout)
    return {
      device_keys: deviceKeys,
      master_keys: crossSigningKeys.master,
      self_signing_keys: crossSigningKeys.self_signing,
      user_signing_keys: crossSigningKeys.user_signing,
      failures,
    }
  },
})
