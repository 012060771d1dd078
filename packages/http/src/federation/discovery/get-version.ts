// SPDX-License-Identifier: Apache-2.0
import { softwareVersion } from '@myelin/services/peers/trust/software-version'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'

/**
 * Returns the name and the version of this software.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1version
 */
export const getVersion = endpoint({
  id: 'getVersion',
  method: 'GET',
  path: '/_matrix/federation/v1/version',
  access: 'none',
  reply: Type.Object({ server: Type.Object({ name: Type.String(), version: Type.String() }) }),

  handle: async () => ({ server: softwareVersion }),
})
