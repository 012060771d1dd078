// SPDX-License-Identifier: Apache-2.0
import { checkedName } from '@myelin/services/media/media-name'
import { reserveMedia, uploadMedia, uploadReserved } from '@myelin/services/media/upload'
import type { Upload } from '@myelin/services/media/upload'
import { Type } from 'typebox'
import { endpoint } from '../endpoint.ts'
import type { EndpointRequest } from '../endpoint.ts'

const UploadQuery = Type.Object({ filename: Type.Optional(Type.String()) })

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixmediav3upload */
export const uploadContent = endpoint({
  id: 'uploadContent',
  method: 'POST',
  path: ['/_matrix/media/v3/upload', '/_matrix/media/r0/upload', '/_matrix/media/v1/upload'],
  access: 'user',
  bodyIsRaw: true,
  query: UploadQuery,
  async handle(request, rt) {
    return { content_uri: await uploadMedia(rt, request.requester.userId, uploadIn(request)) }
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixmediav1create */
export const createContent = endpoint({
  id: 'createContent',
  method: 'POST',
  path: '/_matrix/media/v1/create',
  access: 'user',
  async handle({ requester }, rt) {
    const { uri, unusedExpiresTs } = await reserveMedia(rt, requester.userId)
    return { content_uri: uri, unused_expires_at: unusedExpiresTs }
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixmediav3uploadservernamemediaid */
export const uploadContentToMXC = endpoint({
  id: 'uploadContentToMXC',
  method: 'PUT',
  path: '/_matrix/media/v3/upload/:serverName/:mediaId',
  access: 'user',
  bodyIsRaw: true,
  params: Type.Object({ serverName: Type.String(), mediaId: Type.String() }),
  query: UploadQuery,
  async handle(request, rt) {
    await uploadReserved(rt, request.requester.userId, checkedName(request.params), uploadIn(request))
    return {}
  },
})

type Sent = Pick<EndpointRequest<unknown, { readonly filename?: string }, unknown>, 'stream' | 'headers' | 'query'>

function uploadIn({ stream, headers, query }: Sent): Upload {
  const { 'content-length': length, 'content-type': type } = headers
  return {
    stream,
    sizeBytes: typeof length === 'string' ? Number(length) : undefined,
    contentType: typeof type === 'string' ? type : undefined,
    fileName: query.filename,
  }
}
