// SPDX-License-Identifier: Apache-2.0
import { isServerName, type ServerName } from '@myelin/matrix/ids'
import { isKeyId } from './key-ring.ts'

/** The parameters of one `Authorization: X-Matrix` header. */
export interface ServerAuthorization {
  readonly origin: ServerName
  /** Absent in requests of older servers. */
  readonly destination: string | undefined
  readonly keyId: string
  readonly signature: string
}

const PARAMETER =
  /[ \t]*(?:([A-Za-z0-9!#$%&'*+.^_`|~-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",]*)))?[ \t]*(?:,|$)/y
const MAX_LENGTH = 4096

/**
 * Parses an X-Matrix header; undefined where it is none, or lacks a required parameter.
 *
 * Values with colons, and Base64, may be unquoted, as older servers send them.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#request-authentication
 */
export function parseXMatrix(header: string): ServerAuthorization | undefined {
  const [scheme] = /^X-Matrix[ \t]+/i.exec(header) ?? []
  if (scheme === undefined || header.length > MAX_LENGTH) return undefined
  const parameters = parametersOf(header.slice(scheme.length))
  const origin = parameters?.get('origin')
  const keyId = parameters?.get('key')
  const signature = parameters?.get('sig')
  if (!isServerName(origin) || keyId === undefined || !isKeyId(keyId) || signature === undefined) return undefined
  return { origin, keyId, signature, destination: parameters?.get('destination') }
}

/** Returns the parameters by lower-case name; undefined where a name occurs twice. */
function parametersOf(text: string): ReadonlyMap<string, string> | undefined {
  const parameters = new Map<string, string>()
  for (let at = 0; at < text.length; ) {
    PARAMETER.lastIndex = at
    const match = PARAMETER.exec(text)
    if (!match || match[0] === '') return undefined
    at += match[0].length
    const [, name, quoted, bare] = match
    if (name === undefined) continue
    const key = name.toLowerCase()
    if (parameters.has(key)) return undefined
    parameters.set(key, quoted === undefined ? (bare ?? '') : quoted.replaceAll(/\\(.)/g, '$1'))
  }
  return parameters
}
