// SPDX-License-Identifier: Apache-2.0
import { findMedia } from '@myelin/services/media/find-media'
import { checkedName } from '@myelin/services/media/media-name'
import { thumbnailOf } from '@myelin/services/media/thumbnail'
import type { Runtime } from '@myelin/services/runtime/runtime'
import { Type } from 'typebox'
import { contentDisposition } from '../../media/content-disposition.ts'
import { thumbnailQuery } from '../../media/thumbnail-query.ts'
import { endpoint } from '../../endpoint.ts'
import { multipartReply } from './multipart-reply.ts'

const params = Type.Object({ mediaId: Type.String() })
const Wait = Type.Optional(Type.Integer({ minimum: 0 }))
const BOUNDARY_LETTERS = 32

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1mediadownloadmediaid */
export const getFederatedContent = endpoint({
  id: 'getContent',
  method: 'GET',
  path: '/_matrix/federation/v1/media/download/:mediaId',
  access: 'server',
  params,
  query: Type.Object({ timeout_ms: Wait }),
  async handle({ params: { mediaId }, query, signal }, rt) {
    const content = await findOwn(rt, mediaId, query.timeout_ms, signal)
    const { sizeBytes, contentType, fileName, sha256 } = content
    return multipartReply(rt.random.token(BOUNDARY_LETTERS), {
      bytes: await rt.blobs.read(sha256),
      sizeBytes,
      contentType,
      contentDisposition: contentDisposition(contentType, fileName),
    })
  },
})

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1mediathumbnailmediaid */
export const getFederatedThumbnail = endpoint({
  id: 'getContentThumbnail',
  method: 'GET',
  path: '/_matrix/federation/v1/media/thumbnail/:mediaId',
  access: 'server',
  params,
  query: Type.Object({ ...thumbnailQuery, timeout_ms: Wait }),
  async handle({ params: { mediaId }, query, signal }, rt) {
    const content = await findOwn(rt, mediaId, query.timeout_ms, signal)
    const { width, height, method = 'scale', animated: isAnimated = false } = query
    const { bytes, contentType } = await thumbnailOf(rt, content, { width, height, method, isAnimated })
    return multipartReply(rt.random.token(BOUNDARY_LETTERS), {
      bytes,
      sizeBytes: bytes.length,
      contentType,
      contentDisposition: `inline; filename=thumbnail.${contentType.slice('image/'.length)}`,
    })
  },
})

/** Only what was uploaded here: nobody fetches through us from a third. */
function findOwn(rt: Runtime, mediaId: string, timeoutMs: number | undefined, signal: AbortSignal) {
  const name = checkedName({ serverName: rt.serverName, mediaId })
  return findMedia(rt, name, { isAuthenticated: true, timeoutMs, signal })
}
