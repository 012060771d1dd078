// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { checkedName } from '@myelin/services/media/media-name'
import { findAnyMedia, openAnyMedia } from '@myelin/services/media/remote-media'
import type { MediaDescription } from '@myelin/services/runtime/growing-file'
import type { Runtime } from '@myelin/services/runtime/runtime'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import { Reply } from '../endpoint.ts'
import type { Bytes, EndpointRequest } from '../endpoint.ts'
import { BytesSchema } from '../reply-schemas.ts'
import { OptionalLimit, OptionalText } from '../schemas.ts'
import { byteRangeOf } from './byte-range.ts'
import { preconditionOf, rangeApplies, validatorHeaders } from './conditional.ts'
import { contentDisposition } from './content-disposition.ts'
import { mediaHeaders } from './media-headers.ts'

const Params = Type.Object({ serverName: Type.String(), mediaId: Type.String(), fileName: OptionalText })
const Query = Type.Object({
  timeout_ms: OptionalLimit,
  allow_remote: Type.Optional(Type.Boolean()),
  allow_redirect: Type.Optional(Type.Boolean()),
})
type DownloadRequest = EndpointRequest<Static<typeof Params>, Static<typeof Query>, unknown>

/** The headers that need the tag or the size of a file before it is sent. */
const NEED_ALL = ['range', 'if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since']

/** The path of a file for authenticated clients. */
export const DOWNLOAD = '/_matrix/client/v1/media/download/:serverName/:mediaId'

/** The part of the contract that all downloads share. */
export const downloadContract = { params: Params, query: Query, reply: BytesSchema, replyType: '*/*' }

/**
 * Returns the reply with a file, or with a range of it. `isAuthenticated` is false at the deprecated paths, which do not
 * serve files uploaded after these were frozen.
 */
export async function download(rt: Runtime, request: DownloadRequest, isAuthenticated: boolean): Promise<Reply<Bytes>> {
  const { params, query, headers, requester, signal } = request
  const mayFetch = query.allow_remote ?? true
  const options = { isAuthenticated, timeoutMs: query.timeout_ms, mayFetch, signal, userId: requester.userId }
  const needsAll = !request.supportsChunkedReplies || NEED_ALL.some((name) => headers[name] !== undefined)
  const content = await (needsAll ? findAnyMedia : openAnyMedia)(rt, checkedName(params), options)
  if ('bytes' in content)
    return new Reply(200, content.bytes, {
      ...mediaHeaders(isAuthenticated),
      ...contentHeaders(content, params.fileName),
    })
  const { sha256, sizeBytes, createdTs } = content
  const validators = { etag: `"${Buffer.from(sha256).toString('base64url')}"`, modifiedTs: createdTs }
  const shared = { ...mediaHeaders(isAuthenticated), ...validatorHeaders(validators), 'accept-ranges': 'bytes' }
  const precondition = preconditionOf(headers, validators)
  if (precondition === 304) return new Reply(304, '', shared)
  if (precondition === 412)
    throw new MatrixError('M_UNKNOWN', 'the file is another one than the conditions ask for', { status: 412 })
  const range = rangeApplies(headers, validators) ? byteRangeOf(headers['range'], sizeBytes) : undefined
  if (range === 'unsatisfiable') return new Reply(416, '', { ...shared, 'content-range': `bytes */${sizeBytes}` })
  const length = range ? range.end - range.start + 1 : sizeBytes
  return new Reply(range ? 206 : 200, await rt.blobs.read(sha256, range), {
    ...shared,
    ...contentHeaders(content, params.fileName),
    'content-length': String(length),
    ...(range ? { 'content-range': `bytes ${range.start}-${range.end}/${sizeBytes}` } : {}),
  })
}

function contentHeaders(content: MediaDescription, wantedName: string | undefined): Readonly<Record<string, string>> {
  const { contentType, fileName } = content
  return {
    'content-type': contentType,
    'content-disposition': contentDisposition(contentType, wantedName ?? fileName),
  }
}
