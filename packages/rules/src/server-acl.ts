// SPDX-License-Identifier: Apache-2.0
import { isIPv4 } from 'node:net'
import { hasWildcard, matchGlob } from '@myelin/matrix/glob'
import { hostnameOf, type ServerName } from '@myelin/matrix/ids'
import { type JsonObject, member } from '@myelin/matrix/json'

/**
 * Returns whether a server is allowed by this `m.room.server_acl` content; true for undefined, a room without an ACL.
 *
 * The content is parsed once and cached, because a list may have ten thousand entries and every transaction reads it.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#mroomserver_acl
 */
export function isServerAllowed(server: ServerName, content: JsonObject | undefined): boolean {
  // 1. If there is no `m.room.server_acl` event in the room state, allow.
  if (!content) return true
  let acl = read.get(content)
  if (!acl) read.set(content, (acl = readAcl(content)))

  // 2. If the server name is an IP address literal, and `allow_ip_literals` is present and false, deny.
  const host = hostnameOf(server).toLowerCase()
  if (!acl.allowsIpLiterals && isIpLiteral(host)) return false

  // 3. If the server name matches an entry in the `deny` list, deny.
  if (matches(acl.deny, host)) return false

  // 4. If the server name matches an entry in the `allow` list, allow. 5. Otherwise, deny.
  return matches(acl.allow, host)
}

interface Acl {
  readonly allowsIpLiterals: boolean
  readonly allow: Globs
  readonly deny: Globs
}

/** Globs by the way they are looked up: plain names, `*.domain`, and the others one by one. */
interface Globs {
  readonly names: ReadonlySet<string>
  readonly domains: ReadonlySet<string>
  readonly others: readonly string[]
}

const read = new WeakMap<JsonObject, Acl>()

function readAcl(content: JsonObject): Acl {
  return {
    allowsIpLiterals: member(content, 'allow_ip_literals') !== false,
    allow: readGlobs(content, 'allow'),
    deny: readGlobs(content, 'deny'),
  }
}

/**
 * Returns the globs of a list; a value that is no list counts as empty, and entries that are no strings are ignored.
 */
function readGlobs(content: JsonObject, key: string): Globs {
  const list = member(content, key)
  const entries = Array.isArray(list) ? list.filter((entry) => typeof entry === 'string') : []
  const globs = [...new Set(entries.map((entry) => entry.toLowerCase()))]
  const isOfDomain = (glob: string): boolean => glob.startsWith('*.') && !hasWildcard(glob.slice(1))
  return {
    names: new Set(globs.filter((glob) => !hasWildcard(glob))),
    domains: new Set(globs.filter(isOfDomain).map((glob) => glob.slice(2))),
    others: globs.filter((glob) => hasWildcard(glob) && !isOfDomain(glob)),
  }
}

function matches({ names, domains, others }: Globs, host: string): boolean {
  if (names.has(host)) return true
  for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
    if (domains.has(host.slice(dot + 1))) return true
  }
  return others.some((glob) => matchGlob(glob, host))
}

function isIpLiteral(host: string): boolean {
  return host.startsWith('[') || isIPv4(host)
}
