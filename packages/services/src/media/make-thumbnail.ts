// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type Sharp from 'sharp'
import type { Metadata } from 'sharp'
import { fittedSize } from './thumbnail-size.ts'
import type { Size, ThumbnailMethod } from './thumbnail-size.ts'

/** The wanted thumbnail, and the limits for its source. */
export interface ThumbnailOrder {
  readonly size: Size
  readonly method: ThumbnailMethod
  readonly isAnimated: boolean
  readonly maxPixels: number
  /** The size of the file. */
  readonly sizeBytes: number
}

const FORMATS: readonly string[] = ['jpeg', 'png', 'webp', 'gif', 'heif']
const TIMEOUT_SECONDS = 20
// Small images in large files are encoded anew.
const MAX_PLAIN_BYTES = 256 * 1024

/**
 * Returns an encoded thumbnail of an image file; undefined if the file itself is small enough.
 *
 * Throws `M_UNKNOWN` (400) for an unsupported file, and `M_TOO_LARGE` for one with too many pixels.
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

/** The facts of an image file. */
export interface ImageFacts extends Size {
  readonly contentType: string
}

/**
 * Returns the size and the media type of an image file, as it is shown.
 *
 * Throws `M_UNKNOWN` (400) for an unsupported file, and `M_TOO_LARGE` for one with too many pixels.
 */
export async function describeImage(path: string, maxPixels: number): Promise<ImageFacts> {
  const { format, autoOrient } = await metadataOf(path)
  const { width, height } = autoOrient
  if (width * height > maxPixels) throw new MatrixError('M_TOO_LARGE', 'the image has too many pixels')
  return { width, height, contentType: `image/${format === 'heif' ? 'avif' : format}` }
}

/**
 * Returns the image library, configured for untrusted files. It takes about 10 MiB, so it is loaded with the first
 * image.
 */
export async function imageLibrary(): Promise<typeof Sharp> {
  loading ??= import('sharp').then(({ default: sharp }) => {
    // The files are untrusted: of libvips' readers only those of the web's formats stay enabled.
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

/**
 * Returns whether an image can be served as its own thumbnail: small enough, in a format that clients read, and
 * without unwanted animation.
 */
function isThumbnail({ format, pages = 1, autoOrient: image }: Metadata, size: Size, frames: number): boolean {
  const isShown = format !== 'heif' && (frames > 1 || pages === 1)
  // The frames of a PNG are not counted, and it may be animated all the same.
  const isStill = format !== 'png'
  return isShown && isStill && image.width <= size.width && image.height <= size.height
}

function unreadable(cause?: unknown): MatrixError {
  return new MatrixError('M_UNKNOWN', 'cannot make a thumbnail of this content', { status: 400, cause })
}

/** Returns the media type of an image by its first bytes. */
export function typeOfImage(bytes: Uint8Array): string {
  if (bytes[0] === 0xff) return 'image/jpeg'
  if (bytes[0] === 0x89) return 'image/png'
  return bytes[0] === 0x47 ? 'image/gif' : 'image/webp'
}
