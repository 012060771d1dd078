// SPDX-License-Identifier: Apache-2.0
import { serveKeys } from '@myelin/services/keys/user-keys'
import { Type } from 'typebox'
import {
  CrossSigningKeysByUser,
  DeviceKeySchema,
  DeviceKeysByUser,
  UserKeySchema,
} from '../../client/keys/key-schemas.ts'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { mapOf } from '../../schemas.ts'

/**
 * Returns the identity keys of devices of this server's users, and their cross-signing keys.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1userkeysquery
 */
export const queryUserEncryptionKeys = endpoint({
  id: 'queryUserEncryptionKeys',
  method: 'POST',
  path: '/_matrix/federation/v1/user/keys/query',
  access: 'server',
  maxBodyBytes: MAX_BODY_BYTES.batch,
  body: Type.Object({ device_keys: mapOf(UserKeySchema, Type.Array(DeviceKeySchema)) }),
  reply: Type.Object({
    device_keys: DeviceKeysByUser,
    master_keys: CrossSigningKeysByUser,
    self_signing_keys: CrossSigningKeysByUser,
  }),

  async handle({ body }, rt) {
    const { deviceKeys, crossSigningKeys } = await serveKeys(rt, body.device_keys)
    return {
      device_keys: deviceKeys,
      master_keys: crossSigningKeys.master,
      self_signing_keys: crossSigningKeys.self_signing,
    }
  },
})
