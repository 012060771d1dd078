// SPDX-License-Identifier: Apache-2.0
import { softwareVersion } from '@myelin/services/peers/trust/software-version'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'

/**
 * Returns the version of this server, without a token.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/version_api.html
 */
export const synapseGetServerVersion = endpoint({
  id: 'synapseGetServerVersion',
  method: 'GET',
  path: '/_synapse/admin/v1/server_version',
  access: 'none',
  reply: Type.Object({ server_version: Type.String() }),

  handle: async () => ({ server_version: softwareVersion.version }),
})
