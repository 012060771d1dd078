// SPDX-License-Identifier: Apache-2.0
import { claimKeys as takeKeys } from '@myelin/services/keys/claim-keys'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { AlgorithmSchema, DeviceKeySchema, mapOf, UserKeySchema } from './key-schemas.ts'

/**
 * One-time keys of devices, each given to one caller only.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysclaim
 */
export const claimKeys = endpoint({
  id: 'claimKeys',
  method: 'POST',
  path: '/_matrix/client/v3/keys/claim',
  access: 'guest',
  body: Type.Object({
    timeout: Type.Optional(Type.Integer({ minimum: 0 })),
    one_time_keys: mapOf(UserKeySchema, mapOf(DeviceKeySchema, AlgorithmSchema)),
  }),

  async handle({ body }, rt) {
    const { oneTimeKeys, failures } = await takeKeys(rt, body.one_time_keys, body.timeout)
    return { one_time_keys: oneTimeKeys, failures }
  },
})
