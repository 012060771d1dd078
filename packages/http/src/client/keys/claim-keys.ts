// SPDX-License-Identifier: Apache-2.0
import { claimKeys as claimOneTimeKeys } from '@myelin/services/keys/claim-keys'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { optionalOrNull } from '../../optional-or-null.ts'
import { mapOf } from '../../schemas.ts'
import { AlgorithmSchema, DeviceKeySchema, FailuresReply, OneTimeKeysByUser, UserKeySchema } from './key-schemas.ts'

/**
 * Returns a one-time key of each requested device; no other request gets the same key.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysclaim
 */
export const claimKeys = endpoint({
  id: 'claimKeys',
  method: 'POST',
  path: '/_matrix/client/v3/keys/claim',
  access: 'guest',
  maxBodyBytes: MAX_BODY_BYTES.batch,
  body: Type.Object({
    timeout: optionalOrNull(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
    one_time_keys: mapOf(UserKeySchema, mapOf(DeviceKeySchema, AlgorithmSchema)),
  }),
  reply: Type.Object({ one_time_keys: OneTimeKeysByUser, failures: FailuresReply }),

  async handle({ body, requester: { userId } }, rt) {
    const { oneTimeKeys, failures } = await claimOneTimeKeys(rt, userId, body.one_time_keys, body.timeout)
    return { one_time_keys: oneTimeKeys, failures }
  },
})
