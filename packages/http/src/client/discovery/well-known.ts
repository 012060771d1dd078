// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { JsonObject } from '@myelin/matrix/json'
import {
  clientWellKnown,
  policyServerWellKnown,
  serverWellKnown,
  supportWellKnown,
} from '@myelin/services/accounts/well-known'
import { endpoint } from '../../endpoint.ts'

/**
 * Where clients find this server.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#getwell-knownmatrixclient
 */
export const getWellknown = endpoint({
  id: 'getWellknown',
  method: 'GET',
  path: '/.well-known/matrix/client',
  access: 'none',
  handle: async (_, rt) => orNothing(clientWellKnown(rt)),
})

/**
 * Where other servers find this one.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#getwell-knownmatrixserver
 */
export const getWellknownServer = endpoint({
  id: 'getWellknownServer',
  method: 'GET',
  path: '/.well-known/matrix/server',
  access: 'none',
  handle: async (_, rt) => orNothing(serverWellKnown(rt)),
})

/**
 * Whom to ask about this server.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#getwell-knownmatrixsupport
 */
export const getWellknownSupport = endpoint({
  id: 'getWellknownSupport',
  method: 'GET',
  path: '/.well-known/matrix/support',
  access: 'none',
  handle: async (_, rt) => orNothing(supportWellKnown(rt)),
})

/**
 * The keys of the policy server at this name.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#getwell-knownmatrixpolicy_server
 */
export const getWellknownPolicy = endpoint({
  id: 'getWellknownPolicy',
  method: 'GET',
  path: '/.well-known/matrix/policy_server',
  access: 'none',
  handle: async (_, rt) => orNothing(policyServerWellKnown(rt)),
})

function orNothing(document: JsonObject | undefined): JsonObject {
  if (!document) throw new MatrixError('M_NOT_FOUND', 'this server does not say')
  return document
}
