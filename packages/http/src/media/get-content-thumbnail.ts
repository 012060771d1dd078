// SPDX-License-Identifier: Apache-2.0
import { endpoint } from '../endpoint.ts'
import { legacyPaths } from './legacy-paths.ts'
import { thumbnail, thumbnailContract } from './thumbnail.ts'

/**
 * Returns a thumbnail of a file without authentication, at the deprecated path.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixmediav3thumbnailservernamemediaid
 */
export const getContentThumbnail = endpoint({
  id: 'getContentThumbnail',
  method: 'GET',
  path: legacyPaths('thumbnail/:serverName/:mediaId'),
  access: 'none',
  ...thumbnailContract,

  handle: (request, rt) => thumbnail(rt, request, false),
})
