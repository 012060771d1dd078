// SPDX-License-Identifier: Apache-2.0
import { reserveMedia } from '@myelin/services/media/upload'
import { Type } from 'typebox'
import { endpoint } from '../endpoint.ts'

/**
 * Reserves an `mxc://` URI for a later upload.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixmediav1create
 */
export const createContent = endpoint({
  id: 'createContent',
  method: 'POST',
  path: '/_matrix/media/v1/create',
  access: 'user',
  reply: Type.Object({ content_uri: Type.String(), unused_expires_at: Type.Integer() }),

  async handle({ requester }, rt) {
    const { uri, unusedExpiresTs } = await reserveMedia(rt, requester.userId)
    return { content_uri: uri, unused_expires_at: unusedExpiresTs }
  },
})
