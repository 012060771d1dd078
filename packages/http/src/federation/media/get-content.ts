// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { contentDisposition } from '../../media/content-disposition.ts'
import { OptionalLimit } from '../../schemas.ts'
import { findOwnMedia, OwnMediaParams } from './find-own-media.ts'
import { multipartContract, multipartReply } from './multipart-reply.ts'

/**
 * Returns a file of this server.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1mediadownloadmediaid
 */
export const getContent = endpoint({
  id: 'getContent',
  method: 'GET',
  path: '/_matrix/federation/v1/media/download/:mediaId',
  access: 'server',
  params: OwnMediaParams,
  query: Type.Object({ timeout_ms: OptionalLimit }),
  ...multipartContract,

  async handle({ params: { mediaId }, query: { timeout_ms: timeoutMs }, signal }, rt) {
    const { sizeBytes, contentType, fileName, sha256 } = await findOwnMedia(rt, mediaId, { timeoutMs, signal })
    return multipartReply(rt.random, {
      bytes: await rt.blobs.read(sha256),
      sizeBytes,
      contentType,
      contentDisposition: contentDisposition(contentType, fileName),
    })
  },
})
