// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises'
import { MatrixError } from '@myelin/matrix/errors'
import type { MediaContent } from '@myelin/storage/media/media'
import type { Runtime } from '../runtime/runtime.ts'
import { makeThumbnail, typeOfImage } from './make-thumbnail.ts'
import { sizeFor } from './thumbnail-size.ts'
import type { Size, ThumbnailMethod } from './thumbnail-size.ts'

/** A thumbnail request. */
export interface ThumbnailRequest extends Size {
  readonly method: ThumbnailMethod
  readonly isAnimated: boolean
}

/** An image, encoded. */
export interface Thumbnail {
  readonly bytes: Buffer
  readonly contentType: string
}

const TYPES = ['image/jpeg', 'image/jpg', 'image/png', 'image/apng', 'image/webp', 'image/gif', 'image/avif']

/**
 * Returns a thumbnail of uploaded media: at least as large as requested, unless the image is smaller.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#thumbnails
 */
export async function thumbnailOf(
  rt: Pick<Runtime, 'blobs' | 'config'>,
  content: MediaContent,
  request: ThumbnailRequest,
): Promise<Thumbnail> {
  const type = content.contentType.split(';')[0]?.trim().toLowerCase() ?? ''
  if (!TYPES.includes(type)) {
    throw new MatrixError('M_UNKNOWN', 'cannot make a thumbnail of this content', { status: 400 })
  }
  const { method, isAnimated } = request
  const { isKept, ...size } = sizeFor(request, method)
  const path = rt.blobs.pathOf(content.sha256)
  const maxPixels = rt.config.media.maxImagePixels
  const order = { size, method, isAnimated, maxPixels, sizeBytes: content.sizeBytes }
  const make = async () => (await makeThumbnail(path, order)) ?? (await readFile(path))
  const name = `${size.width}x${size.height}-${method}${isAnimated ? '-animated' : ''}`
  const bytes = await (isKept ? rt.blobs.derived(content.sha256, name, make) : rt.blobs.makeInTurn(make))
  return { bytes, contentType: typeOfImage(bytes) }
}
