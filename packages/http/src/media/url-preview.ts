// SPDX-License-Identifier: Apache-2.0
import { previewUrl } from '@myelin/services/media/previews/preview-url'
import type { Runtime } from '@myelin/services/runtime/runtime'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import type { EndpointRequest } from '../endpoint.ts'
import { encodedObject } from '../reply-schemas.ts'
import { SafeInteger } from '../schemas.ts'

const Query = Type.Object({ url: Type.String(), ts: Type.Optional(SafeInteger) })
type PreviewRequest = EndpointRequest<unknown, Static<typeof Query>, unknown>

/** The part of the contract that both paths share. The newest version is returned, also if `ts` is earlier. */
export const previewContract = {
  query: Query,
  reply: encodedObject(
    Type.Object(
      { 'og:image': Type.Optional(Type.String()), 'matrix:image:size': Type.Optional(Type.Integer()) },
      { additionalProperties: { type: ['string', 'number'] } },
    ),
  ),
}

/** Returns the reply with the preview of a page. */
export async function urlPreview(rt: Runtime, { query, requester }: PreviewRequest): Promise<object> {
  return JSON.parse(await previewUrl(rt, requester.userId, query.url)) as object
}
