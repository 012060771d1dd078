// SPDX-License-Identifier: Apache-2.0
import { checkedName } from '@myelin/services/media/media-name'
import { uploadReserved } from '@myelin/services/media/upload'
import { Type } from 'typebox'
import { endpoint } from '../endpoint.ts'
import { EmptySchema } from '../reply-schemas.ts'
import { uploadOf, UploadQuery } from './upload-request.ts'

/**
 * Stores a file under a reserved `mxc://` URI.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixmediav3uploadservernamemediaid
 */
export const uploadContentToMXC = endpoint({
  id: 'uploadContentToMXC',
  method: 'PUT',
  path: '/_matrix/media/v3/upload/:serverName/:mediaId',
  access: 'user',
  bodyIsRaw: true,
  params: Type.Object({ serverName: Type.String(), mediaId: Type.String() }),
  query: UploadQuery,
  reply: EmptySchema,

  async handle(request, rt) {
    await uploadReserved(rt, request.requester.userId, checkedName(request.params), uploadOf(request))
    return {}
  },
})
