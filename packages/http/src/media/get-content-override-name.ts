// SPDX-License-Identifier: Apache-2.0
import { endpoint } from '../endpoint.ts'
import { download, downloadContract } from './download.ts'
import { legacyPaths } from './legacy-paths.ts'

/**
 * Returns a file without authentication under a name that the client chooses, at the deprecated path.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixmediav3downloadservernamemediaidfilename
 */
export const getContentOverrideName = endpoint({
  id: 'getContentOverrideName',
  method: 'GET',
  path: legacyPaths('download/:serverName/:mediaId/:fileName'),
  access: 'none',
  ...downloadContract,

  handle: (request, rt) => download(rt, request, false),
})
