// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { recordOf } from '../../reply-schemas.ts'

/** Clients search this list for single versions, so it has all of them, not only the last. */
const VERSIONS = [
  ...['r0.0.1', 'r0.1.0', 'r0.2.0', 'r0.3.0', 'r0.4.0', 'r0.5.0', 'r0.6.0', 'r0.6.1'],
  ...Array.from({ length: 19 }, (_, index) => `v1.${index + 1}`),
]

/** The implemented features that the spec does not have, or has under another name. */
const UNSTABLE_FEATURES = {
  'org.matrix.msc3881': true,
  'org.matrix.msc4140': true,
  'org.matrix.msc4143': true,
  'org.matrix.msc4222': true,
  'org.matrix.msc4069': true,
  'org.matrix.msc4306': true,
  'org.matrix.msc4354': true,
  'org.matrix.simplified_msc3575': true,
  'uk.tcpip.msc4133': true,
  'uk.tcpip.msc4133.stable': true,
}

/**
 * Returns the versions of the spec that this server implements.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientversions
 */
export const getVersions = endpoint({
  id: 'getVersions',
  method: 'GET',
  path: '/_matrix/client/versions',
  access: 'none',
  reply: Type.Object({ versions: Type.Array(Type.String()), unstable_features: recordOf(Type.Boolean()) }),

  handle: async () => ({ versions: VERSIONS, unstable_features: UNSTABLE_FEATURES }),
})
