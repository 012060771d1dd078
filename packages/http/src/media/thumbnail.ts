// SPDX-License-Identifier: Apache-2.0
import { checkedName } from '@myelin/services/media/media-name'
import { findAnyMedia } from '@myelin/services/media/remote-media'
import { thumbnailOf } from '@myelin/services/media/thumbnail'
import { Type } from 'typebox'
import { endpoint, Reply } from '../endpoint.ts'
import { thumbnailQuery } from './thumbnail-query.ts'
import { mediaHeaders } from './media-headers.ts'

const Params = Type.Object({ serverName: Type.String(), mediaId: Type.String() })
const Query = Type.Object({
  ...thumbnailQuery,
  timeout_ms: Type.Optional(Type.Integer({ minimum: 0 })),
  allow_remote: Type.Optional(Type.Boolean()),
  allow_redirect: Type.Optional(Type.Boolean()),
})

const thumbnail = (id: string, path: readonly string[], isAuthenticated: boolean) =>
  endpoint({
    id,
    method: 'GET',
    path,
    access: isAuthenticated ? 'guest' : 'none',
    params: Params,
    query: Query,
    async handle({ params, query, requester, signal }, rt) {
      const content = await findAnyMedia(rt, checkedName(params), {
        isAuthenticated,
        userId: requester.userId,
        timeoutMs: query.timeout_ms,
        mayFetch: query.allow_remote ?? true,
        signal,
      })
      const { width, height, method = 'scale', animated: isAnimated = false } = query
      const { bytes, contentType } = await thumbnailOf(rt, content, { width, height, method, isAnimated })
      const fileName = `thumbnail.${contentType.slice('image/'.length)}`
      return new Reply(200, bytes, {
        ...mediaHeaders(isAuthenticated),
        'content-type': contentType,
        'content-disposition': `inline; filename=${fileName}`,
      })
    },
  })

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediathumbnailservernamemediaid */
export const getContentThumbnailAuthed = thumbnail(
  'getContentThumbnailAuthed',
  ['/_matrix/client/v1/media/thumbnail/:serverName/:mediaId'],
  true,
)
/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixmediav3thumbnailservernamemediaid */
export const getContentThumbnail = thumbnail(
  'getContentThumbnail',
  ['v3', 'r0', 'v1'].map((version) => `/_matrix/media/${version}/thumbnail/:serverName/:mediaId`),
  false,
)
