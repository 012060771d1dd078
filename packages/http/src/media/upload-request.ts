// SPDX-License-Identifier: Apache-2.0
import type { Upload } from '@myelin/services/media/upload'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import type { EndpointRequest } from '../endpoint.ts'
import { OptionalText } from '../schemas.ts'

/** The query parameters of an upload. */
export const UploadQuery = Type.Object({ filename: OptionalText })

type UploadRequest = Pick<EndpointRequest<unknown, Static<typeof UploadQuery>, unknown>, 'stream' | 'headers' | 'query'>

/** Returns the file that a request uploads. */
export function uploadOf({ stream, headers, query }: UploadRequest): Upload {
  const { 'content-length': length, 'content-type': type } = headers
  return {
    stream,
    sizeBytes: typeof length === 'string' ? Number(length) : undefined,
    contentType: typeof type === 'string' ? type : undefined,
    fileName: query.filename,
  }
}
