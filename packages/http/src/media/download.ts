// SPDX-License-Identifier: Apache-2.0
import type { MediaWords } from '@myelin/services/runtime/growing-file'
import { checkedName } from '@myelin/services/media/media-name'
import { findAnyMedia, openAnyMedia } from '@myelin/services/media/remote-media'
import type { Runtime } from '@myelin/services/runtime/runtime'
import { Type } from 'typebox'
import { endpoint, Reply } from '../endpoint.ts'
import type { EndpointRequest } from '../endpoint.ts'
import { byteRangeOf } from './byte-range.ts'
import { contentDisposition } from './content-disposition.ts'
import { mediaHeaders } from './media-headers.ts'

const AUTHED = ['/_matrix/client/v1/media/download/:serverName/:mediaId']
const LEGACY = ['v3', 'r0', 'v1'].map((version) => `/_matrix/media/${version}/download/:serverName/:mediaId`)
const named = (paths: readonly string[]) => paths.map((path) => `${path}/:fileName`)

const Params = Type.Object({
  serverName: Type.String(),
  mediaId: Type.String(),
  fileName: Type.Optional(Type.String()),
})
const Query = Type.Object({
  timeout_ms: Type.Optional(Type.Integer({ minimum: 0 })),
  allow_remote: Type.Optional(Type.Boolean()),
  allow_redirect: Type.Optional(Type.Boolean()),
})
type Request = EndpointRequest<Type.Static<typeof Params>, Type.Static<typeof Query>, unknown>

const download = (id: string, path: readonly string[], isAuthenticated: boolean) =>
  endpoint({
    id,
    method: 'GET',
    path,
    access: isAuthenticated ? 'guest' : 'none',
    params: Params,
    query: Query,
    handle: (request, rt) => send(rt, request, isAuthenticated),
  })

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediadownloadservernamemediaid */
export const getContentAuthed = download('getContentAuthed', AUTHED, true)
/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediadownloadservernamemediaidfilename */
export const getContentOverrideNameAuthed = download('getContentOverrideNameAuthed', named(AUTHED), true)
/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixmediav3downloadservernamemediaid */
export const getContent = download('getContent', LEGACY, false)
/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixmediav3downloadservernamemediaidfilename */
export const getContentOverrideName = download('getContentOverrideName', named(LEGACY), false)

async function send(rt: Runtime, request: Request, isAuthenticated: boolean): Promise<Reply> {
  const { params, query, headers, requester, signal } = request
  const mayFetch = query.allow_remote ?? true
  const wish = { isAuthenticated, timeoutMs: query.timeout_ms, mayFetch, signal, userId: requester.userId }
  const needsAll = !request.takesChunks || headers['range'] !== undefined || headers['if-none-match'] !== undefined
  const content = await (needsAll ? findAnyMedia : openAnyMedia)(rt, checkedName(params), wish)
  if ('bytes' in content)
    return new Reply(200, content.bytes, { ...mediaHeaders(isAuthenticated), ...saidOf(content, params.fileName) })
  const { sha256, sizeBytes } = content
  const etag = `"${Buffer.from(sha256).toString('base64url')}"`
  const shared = { ...mediaHeaders(isAuthenticated), etag, 'accept-ranges': 'bytes' }
  if (headers['if-none-match'] === etag) return new Reply(304, '', shared)
  const range = byteRangeOf(headers['range'], sizeBytes)
  if (range === 'unsatisfiable') return new Reply(416, '', { ...shared, 'content-range': `bytes */${sizeBytes}` })
  const length = range ? range.end - range.start + 1 : sizeBytes
  return new Reply(range ? 206 : 200, await rt.blobs.read(sha256, range), {
    ...shared,
    ...saidOf(content, params.fileName),
    'content-length': String(length),
    ...(range ? { 'content-range': `bytes ${range.start}-${range.end}/${sizeBytes}` } : {}),
  })
}

function saidOf(content: MediaWords, wished: string | undefined): Readonly<Record<string, string>> {
  const { contentType, fileName } = content
  return {
    'content-type': contentType,
    'content-disposition': contentDisposition(contentType, wished ?? fileName),
  }
}
