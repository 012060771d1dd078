// SPDX-License-Identifier: Apache-2.0
import { endpoint } from '../../endpoint.ts'

/** Clients look for single versions in this list, so it has every one, not just the last. */
const VERSIONS = [
  ...['r0.0.1', 'r0.1.0', 'r0.2.0', 'r0.3.0', 'r0.4.0', 'r0.5.0', 'r0.6.0', 'r0.6.1'],
  ...Array.from({ length: 19 }, (_, index) => `v1.${index + 1}`),
]

/** What is built here and not, or not under this name, in the spec. What is not listed is not built. */
const UNSTABLE_FEATURES = {
  'org.matrix.msc4222': true,
  'uk.tcpip.msc4133': true,
  'uk.tcpip.msc4133.stable': true,
}

/**
 * The versions of the spec this server speaks.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientversions
 */
export const getVersions = endpoint({
  id: 'getVersions',
  method: 'GET',
  path: '/_matrix/client/versions',
  access: 'none',
  handle: async () => ({ versions: VERSIONS, unstable_features: UNSTABLE_FEATURES }),
})
