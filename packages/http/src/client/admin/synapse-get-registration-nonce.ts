// SPDX-License-Identifier: Apache-2.0
import { sharedSecretNonce } from '@myelin/services/accounts/register-by-secret'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'

/**
 * Returns the nonce to sign for a registration by shared secret.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/register_api.html
 */
export const synapseGetRegistrationNonce = endpoint({
  id: 'synapseGetRegistrationNonce',
  method: 'GET',
  path: '/_synapse/admin/v1/register',
  access: 'none',
  reply: Type.Object({ nonce: Type.String() }),

  handle: async (_, rt) => ({ nonce: sharedSecretNonce(rt) }),
})
