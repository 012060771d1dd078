// SPDX-License-Identifier: Apache-2.0
import { checkedName } from '@myelin/services/media/media-name'
import { findAnyMedia } from '@myelin/services/media/remote-media'
import { thumbnailOf } from '@myelin/services/media/thumbnail'
import type { Runtime } from '@myelin/services/runtime/runtime'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import { Reply } from '../endpoint.ts'
import type { EndpointRequest } from '../endpoint.ts'
import { BytesSchema } from '../reply-schemas.ts'
import { OptionalLimit } from '../schemas.ts'
import { mediaHeaders } from './media-headers.ts'
import { thumbnailQuery } from './thumbnail-query.ts'

const Params = Type.Object({ serverName: Type.String(), mediaId: Type.String() })
const Query = Type.Object({
  ...thumbnailQuery,
  timeout_ms: OptionalLimit,
  allow_remote: Type.Optional(Type.Boolean()),
  allow_redirect: Type.Optional(Type.Boolean()),
})
type ThumbnailRequest = EndpointRequest<Static<typeof Params>, Static<typeof Query>, unknown>

/** The part of the contract that all thumbnails share. */
export const thumbnailContract = { params: Params, query: Query, reply: BytesSchema, replyType: 'image/*' }

/** Returns the reply with a thumbnail. `isAuthenticated` is false at the deprecated paths. */
export async function thumbnail(rt: Runtime, request: ThumbnailRequest, isAuthenticated: boolean) {
  const { params, query, requester, signal } = request
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
}
