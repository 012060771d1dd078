// SPDX-License-Identifier: Apache-2.0
/**
 * Encodes bytes in standard Base64 without padding.
 *
 * @see https://spec.matrix.org/v1.19/appendices/#unpadded-base64
 */
export function encodeBase64(bytes: Uint8Array): string {
  return withoutPadding(asBuffer(bytes).toString('base64'))
}

/**
 * Decodes Base64 of either alphabet, padded or not; undefined for any other text.
 *
 * @see https://spec.matrix.org/v1.19/appendices/#unpadded-base64
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  const plain = withoutPadding(text)
  if (text.length - plain.length > 2 || plain.length % 4 === 1 || !/^[A-Za-z0-9+/_-]*$/.test(plain)) return undefined
  return Buffer.from(plain, 'base64')
}

/** Returns a Base64 text without the trailing `=`. */
export function withoutPadding(text: string): string {
  let end = text.length
  while (end > 0 && text.charCodeAt(end - 1) === 0x3d) end--
  return end === text.length ? text : text.slice(0, end)
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
