// SPDX-License-Identifier: Apache-2.0
import { endpoint } from '../endpoint.ts'
import { legacyPaths } from './legacy-paths.ts'
import { previewContract, urlPreview } from './url-preview.ts'

/**
 * Returns the preview of a web page, at the deprecated path.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixmediav3preview_url
 */
export const getUrlPreview = endpoint({
  id: 'getUrlPreview',
  method: 'GET',
  path: legacyPaths('preview_url'),
  access: 'user',
  ...previewContract,

  handle: (request, rt) => urlPreview(rt, request),
})
