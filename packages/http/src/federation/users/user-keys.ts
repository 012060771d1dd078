// SPDX-License-Identifier: Apache-2.0
import { serveClaim } from '@myelin/services/federation/serve/claim-keys'
import { serveDevices, serveKeys } from '@myelin/services/keys/user-keys'
import { Type } from 'typebox'
import { AlgorithmSchema, DeviceKeySchema, mapOf, UserKeySchema } from '../../client/keys/key-schemas.ts'
import { endpoint } from '../../endpoint.ts'
import { UserIdSchema } from '../../schemas.ts'

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1userdevicesuserid */
export const getUserDevices = endpoint({
  id: 'getUserDevices',
  method: 'GET',
  path: '/_matrix/federation/v1/user/devices/:userId',
  access: 'server',
  params: Type.Object({ userId: UserIdSchema }),
  handle: ({ params }, rt) => serveDevices(rt, params.userId),
})

/** @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1userkeysquery */
export const queryUserEncryptionKeys = endpoint({
  id: 'queryUserEncryptionKeys',
  method: 'POST',
  path: '/_matrix/federation/v1/user/keys/query',
  access: 'server',
  body: Type.Object({ device_keys: mapOf(UserKeySchema, Type.Array(DeviceKeySchema)) }),
  async handle({ body }, rt) {
    const { deviceKeys, crossSigningKeys } = await serveKeys(rt, body.device_keys)
    return {
      device_keys: deviceKeys,
      master_keys: crossSigningKeys.master,
      self_signing_keys: crossSigningKeys.self_signing,
    }
  },
})

/** @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1userkeysclaim */
export const claimUserEncryptionKeys = endpoint({
  id: 'claimUserEncryptionKeys',
  method: 'POST',
  path: '/_matrix/federation/v1/user/keys/claim',
  access: 'server',
  body: Type.Object({ one_time_keys: mapOf(UserKeySchema, mapOf(DeviceKeySchema, AlgorithmSchema)) }),
  handle: async ({ body }, rt) => ({ one_time_keys: await serveClaim(rt, body.one_time_keys) }),
})
