// SPDX-License-Identifier: Apache-2.0
import { isRegistrationTokenValid } from '@myelin/services/accounts/registration-tokens'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'

/**
 * Returns whether a registration token can be used to register.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1registermloginregistration_tokenvalidity
 */
export const registrationTokenValidity = endpoint({
  id: 'registrationTokenValidity',
  method: 'GET',
  path: '/_matrix/client/v1/register/m.login.registration_token/validity',
  access: 'none',
  query: Type.Object({ token: Type.String() }),
  reply: Type.Object({ valid: Type.Boolean() }),

  handle: async ({ query, address }, rt) => ({ valid: await isRegistrationTokenValid(rt, query.token, address) }),
})
