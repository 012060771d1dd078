// SPDX-License-Identifier: Apache-2.0
import { uploadMedia } from '@myelin/services/media/upload'
import { Type } from 'typebox'
import { endpoint } from '../endpoint.ts'
import { legacyPaths } from './legacy-paths.ts'
import { uploadOf, UploadQuery } from './upload-request.ts'

/**
 * Stores a file and returns its `mxc://` URI.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixmediav3upload
 */
export const uploadContent = endpoint({
  id: 'uploadContent',
  method: 'POST',
  path: legacyPaths('upload'),
  access: 'user',
  bodyIsRaw: true,
  query: UploadQuery,
  reply: Type.Object({ content_uri: Type.String() }),

  handle: async (request, rt) => ({
    content_uri: await uploadMedia(rt, request.requester.userId, uploadOf(request)),
  }),
})
