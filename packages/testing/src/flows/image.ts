// SPDX-License-Identifier: Apache-2.0
import sharp from 'sharp'

/** Returns an encoded image of a size. */
export async function sharpImage(width: number, height: number): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 4, background: { r: 1, g: 2, b: 3, alpha: 0.5 } } })
    .png()
    .toBuffer()
}
