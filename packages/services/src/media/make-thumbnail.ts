// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type Sharp from 'sharp'
import type { Metadata } from 'sharp'
import { fittedSize } from './thumbnail-size.ts'
import type { Size, ThumbnailMethod } from './thumbnail-size.ts'

/** What is wanted of an image, and how much of an image is too much. */
export interface ThumbnailOrder {
  readonly size: Size
  readonly method: ThumbnailMethod
  readonly isAnimated: boolean
  readonly maxPixels: number
  /** How large the file is. */
  readonly sizeBytes: number
}

const FORMATS: readonly string[] = ['jpeg', 'png', 'webp', 'gif', 'heif']
const TIMEOUT_SECONDS = 20
// What is small to see and large to send is written anew.
const MAX_PLAIN_BYTES = 256 * 1024

/**
 * A thumbnail of an image file, encoded; undefined where the file itself is the thumbnail.
 *
 * Throws `M_UNKNOWN` (400) for what is no image, or none we read, and `M_TOO_LARGE` for one with too many pixels.
 */
export async function makeThumbnail(path: string, order: ThumbnailOrder): Promise<Buffer | undefined> {
  const found = await metadataOf(path)
  const { pages = 1, hasAlpha, autoOrient: image } = found
  const frames = order.isAnimated && image.width * image.height * pages <= order.maxPixels ? pages : 1
  if (image.width * image.height > order.maxPixels) {
    throw new MatrixError('M_TOO_LARGE', 'content is too large to thumbnail')
  }
  if (order.sizeBytes <= MAX_PLAIN_BYTES && isThumbnail(found, order.size, frames)) return undefined
  const { width, height } = fittedSize(image, order.size, order.method)
  const sharp = await imageLibrary()
  const read = sharp(path, { limitInputPixels: order.maxPixels, animated: frames > 1, failOn: 'error' }).timeout({
    seconds: TIMEOUT_SECONDS,
  })
  const fit = order.method === 'crop' ? 'cover' : 'fill'
  try {
    if (frames > 1) return await read.resize({ width, height, fit }).webp({ quality: 80, effort: 2 }).toBuffer()
    const made = read.autoOrient().resize({ width, height, fit })
    return await (hasAlpha ? made.png() : made.jpeg({ quality: 80 })).toBuffer()
  } catch (cause) {
    throw unreadable(cause)
  }
}

/** The library, set up for files of strangers. It takes some 10 MiB, so it is loaded with the first image. */
export async function imageLibrary(): Promise<typeof Sharp> {
  loading ??= import('sharp').then(({ default: sharp }) => {
    // Strangers write these files: of libvips' many readers only those of the formats of the web are left on.
    sharp.block({ operation: ['VipsForeignLoad'] })
    sharp.unblock({
      operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif'].map((format) => `VipsForeignLoad${format}File`),
    })
    sharp.concurrency(1)
    sharp.cache(false)
    return sharp
  })
  return loading
}

let loading: Promise<typeof Sharp> | undefined

async function metadataOf(path: string): Promise<Metadata> {
  try {
    const sharp = await imageLibrary()
    const found = await sharp(path, { failOn: 'error' }).metadata()
    if (FORMATS.includes(found.format)) return found
  } catch (cause) {
    throw unreadable(cause)
  }
  throw unreadable()
}

/** What is no larger than what was asked for goes out as it is, where clients read it and no page of it moves that should not. */
function isThumbnail({ format, pages = 1, autoOrient: image }: Metadata, size: Size, frames: number): boolean {
  const isShown = format !== 'heif' && (frames > 1 || pages === 1)
  // Frames are not counted in a PNG, and it may move all the same.
  const isStill = format !== 'png'
  return isShown && isStill && image.width <= size.width && image.height <= size.height
}

function unreadable(cause?: unknown): MatrixError {
  return new MatrixError('M_UNKNOWN', 'cannot make a thumbnail of this content', { status: 400, cause })
}

/** The media type of an image as its first bytes tell. */
export function typeOfImage(bytes: Uint8Array): string {
  if (bytes[0] === 0xff) return 'image/jpeg'
  if (bytes[0] === 0x89) return 'image/png'
  return bytes[0] === 0x47 ? 'image/gif' : 'image/webp'
}
