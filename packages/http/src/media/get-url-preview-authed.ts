// SPDX-License-Identifier: Apache-2.0
import { endpoint } from '../endpoint.ts'
import { previewContract, urlPreview } from './url-preview.ts'

/**
 * Returns the preview of a web page.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediapreview_url
 */
export const getUrlPreviewAuthed = endpoint({
  id: 'getUrlPreviewAuthed',
  method: 'GET',
  path: '/_matrix/client/v1/media/preview_url',
  access: 'user',
  ...previewContract,

  handle: (request, rt) => urlPreview(rt, request),
})
