// SPDX-License-Identifier: Apache-2.0
import { thumbnailOf } from '@myelin/services/media/thumbnail'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { thumbnailQuery } from '../../media/thumbnail-query.ts'
import { OptionalLimit } from '../../schemas.ts'
import { findOwnMedia, OwnMediaParams } from './find-own-media.ts'
import { multipartContract, multipartReply } from './multipart-reply.ts'

/**
 * Returns a thumbnail of a file of this server.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1mediathumbnailmediaid
 */
export const getContentThumbnail = endpoint({
  id: 'getContentThumbnail',
  method: 'GET',
  path: '/_matrix/federation/v1/media/thumbnail/:mediaId',
  access: 'server',
  params: OwnMediaParams,
  query: Type.Object({ ...thumbnailQuery, timeout_ms: OptionalLimit }),
  ...multipartContract,

  async handle({ params: { mediaId }, query, signal }, rt) {
    const content = await findOwnMedia(rt, mediaId, { timeoutMs: query.timeout_ms, signal })
    const { width, height, method = 'scale', animated: isAnimated = false } = query
    const { bytes, contentType } = await thumbnailOf(rt, content, { width, height, method, isAnimated })
    return multipartReply(rt.random, {
      bytes,
      sizeBytes: bytes.length,
      contentType,
      contentDisposition: `inline; filename=thumbnail.${contentType.slice('image/'.length)}`,
    })
  },
})
