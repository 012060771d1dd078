// SPDX-License-Identifier: Apache-2.0

/** Width and height in pixels. */
export interface Size {
  readonly width: number
  readonly height: number
}

/** The method: cropped to the requested aspect ratio, or scaled as a whole. */
export type ThumbnailMethod = 'crop' | 'scale'

// Contains all sizes in the spec, and bounds the number of thumbnails stored for one image.
const LADDER = [32, 96, 240, 320, 480, 600, 640, 800, 1200, 1600] as const

/**
 * Returns the size to make a thumbnail for: the requested one or somewhat more, so that few sizes serve all requests. It is
 * never smaller than requested, because the spec forbids that.
 *
 * A crop keeps the requested aspect ratio; a size off the ladder is not stored.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#thumbnails
 */
export function sizeFor(asked: Size, method: ThumbnailMethod): Size & { readonly isKept: boolean } {
  const [width, height] = [step(asked.width), step(asked.height)]
  const longest = Math.max(asked.width, asked.height)
  const factor = step(longest) / longest
  const cut = { width: side(asked.width * factor), height: side(asked.height * factor) }
  const size = method === 'scale' ? { width, height } : cut
  return { ...size, isKept: isOnLadder(size.width) && isOnLadder(size.height) }
}

/**
 * Returns the size of the thumbnail of an image, never larger than the image. A scaled one fits into the target: one of its
 * sides is the target's, the other is not longer.
 */
export function fittedSize(image: Size, target: Size, method: ThumbnailMethod): Size {
  if (method === 'crop') {
    const shrink = Math.min(1, image.width / target.width, image.height / target.height)
    return { width: side(target.width * shrink), height: side(target.height * shrink) }
  }
  const factor = Math.min(1, target.width / image.width, target.height / image.height)
  return { width: side(image.width * factor), height: side(image.height * factor) }
}

function step(pixels: number): number {
  return LADDER.find((each) => each >= pixels) ?? pixels
}

function isOnLadder(pixels: number): boolean {
  return (LADDER as readonly number[]).includes(pixels)
}

function side(pixels: number): number {
  return Math.max(1, Math.round(pixels))
}
