// SPDX-License-Identifier: Apache-2.0
import { queryKeys as loadKeys } from '@myelin/services/keys/query-keys'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { DeviceKeySchema, mapOf, UserKeySchema } from './key-schemas.ts'

/**
 * The devices and identity keys of users.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysquery
 */
export const queryKeys = endpoint({
  id: 'queryKeys',
  method: 'POST',
  path: '/_matrix/client/v3/keys/query',
  access: 'guest',
  body: Type.Object({
    timeout: Type.Optional(Type.Integer({ minimum: 0 })),
    device_keys: mapOf(UserKeySchema, Type.Array(DeviceKeySchema)),
  }),

  async handle({ body, requester }, rt) {
    const { deviceKeys, crossSigningKeys, failures } = await loadKeys(
      rt,
      requester.userId,
      body.device_keys,
      body.timeout,
    )
    return {
      device_keys: deviceKeys,
      master_keys: crossSigningKeys.master,
      self_signing_keys: crossSigningKeys.self_signing,
      user_signing_keys: crossSigningKeys.user_signing,
      failures,
    }
  },
})
