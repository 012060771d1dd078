// SPDX-License-Identifier: Apache-2.0

/** The types that browsers show without running scripts. */
const INLINE: ReadonlySet<string> = new Set([
  'text/css',
  'text/plain',
  'text/csv',
  'application/json',
  'application/ld+json',
  'image/jpeg',
  'image/gif',
  'image/png',
  'image/apng',
  'image/webp',
  'image/avif',
  'video/mp4',
  'video/webm',
  'video/ogg',
  'video/quicktime',
  'audio/mp4',
  'audio/webm',
  'audio/aac',
  'audio/mpeg',
  'audio/ogg',
  'audio/wave',
  'audio/wav',
  'audio/x-wav',
  'audio/x-pn-wav',
  'audio/flac',
  'audio/x-flac',
])

/**
 * Returns the `Content-Disposition` of a file: `inline` only for types that cannot do harm.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#serving-inline-content
 */
export function contentDisposition(contentType: string, fileName: string | undefined): string {
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? ''
  const disposition = INLINE.has(type) ? 'inline' : 'attachment'
  return fileName === undefined ? disposition : `${disposition}; ${fileNameParameter(fileName)}`
}

/** Returns the parameter of RFC 6266: a token, a quoted string, or beyond ASCII the extended form of RFC 8187. */
function fileNameParameter(name: string): string {
  if (/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) return `filename=${name}`
  if (/^[\x20-\x7e]*$/.test(name)) return `filename="${name.replace(/["\\]/g, '\\$&')}"`
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `filename*=utf-8''${encoded}`
}
