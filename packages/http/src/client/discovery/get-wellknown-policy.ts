// SPDX-License-Identifier: Apache-2.0
import { policyServerWellKnown } from '@myelin/services/accounts/well-known'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { encodedObject, recordOf } from '../../reply-schemas.ts'
import { requireDocument } from '../../require-document.ts'

/**
 * Returns the public keys of the policy server at this name.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#getwell-knownmatrixpolicy_server
 */
export const getWellknownPolicy = endpoint({
  id: 'getWellknownPolicy',
  method: 'GET',
  path: '/.well-known/matrix/policy_server',
  access: 'none',
  reply: encodedObject(Type.Object({ public_keys: recordOf(Type.String()) })),

  handle: async (_, rt) => requireDocument(policyServerWellKnown(rt)),
})
