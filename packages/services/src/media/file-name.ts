// SPDX-License-Identifier: Apache-2.0
import { fitsBytes } from '@myelin/matrix/ids'

const MAX_BYTES = 1024

/** Returns the file name of a `Content-Disposition` from outside, without a path; undefined where there is none. */
export function fileNameIn(disposition: string): string | undefined {
  const [, encoded] = /;\s*filename\*\s*=\s*utf-8''([^\s;]{1,3000})/i.exec(disposition) ?? []
  const [, quoted, bare] =
    /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.){0,3000})"|([^\s;"]{1,3000}))/i.exec(disposition) ?? []
  const name = decoded(encoded) ?? quoted?.replace(/\\(.)/g, '$1') ?? bare
  const last = name?.split(/[/\\]/).at(-1)
  // oxlint-disable-next-line no-control-regex -- a name with these is none
  if (last === undefined || last === '' || /[\u0000-\u001f\u007f]/.test(last) || !fitsBytes(last, MAX_BYTES))
    return undefined
  return last
}

function decoded(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
