// SPDX-License-Identifier: Apache-2.0
import { endpoint } from '../endpoint.ts'
import { thumbnail, thumbnailContract } from './thumbnail.ts'

/**
 * Returns a thumbnail of a file.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediathumbnailservernamemediaid
 */
export const getContentThumbnailAuthed = endpoint({
  id: 'getContentThumbnailAuthed',
  method: 'GET',
  path: '/_matrix/client/v1/media/thumbnail/:serverName/:mediaId',
  access: 'guest',
  ...thumbnailContract,

  handle: (request, rt) => thumbnail(rt, request, true),
})
