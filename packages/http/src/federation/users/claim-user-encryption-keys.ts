// SPDX-License-Identifier: Apache-2.0
import { serveClaim } from '@myelin/services/federation/serve/claim-keys'
import { Type } from 'typebox'
import { AlgorithmSchema, DeviceKeySchema, OneTimeKeysByUser, UserKeySchema } from '../../client/keys/key-schemas.ts'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { mapOf } from '../../schemas.ts'

/**
 * Returns a one-time key of each requested device of this server; no other request gets the same key.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1userkeysclaim
 */
export const claimUserEncryptionKeys = endpoint({
  id: 'claimUserEncryptionKeys',
  method: 'POST',
  path: '/_matrix/federation/v1/user/keys/claim',
  access: 'server',
  maxBodyBytes: MAX_BODY_BYTES.batch,
  body: Type.Object({ one_time_keys: mapOf(UserKeySchema, mapOf(DeviceKeySchema, AlgorithmSchema)) }),
  reply: Type.Object({ one_time_keys: OneTimeKeysByUser }),

  handle: async ({ body }, rt) => ({ one_time_keys: await serveClaim(rt, body.one_time_keys) }),
})
