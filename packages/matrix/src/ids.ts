// SPDX-License-Identifier: Apache-2.0
import { isIPv6 } from 'node:net'

declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

/** `@localpart:server`. */
export type UserId = Branded<'UserId'>
/** `!opaque:server`, or `!hash` since room version 12. */
export type RoomId = Branded<'RoomId'>
/** `$…`. */
export type EventId = Branded<'EventId'>
/** A host with an optional port. */
export type ServerName = Branded<'ServerName'>
/** `#localpart:server`. */
export type RoomAlias = Branded<'RoomAlias'>

/**
 * Returns the server of a user: everything after the *first* colon.
 *
 * A server name may have a port (`@a:host:8448`), so splitting at the last colon would make all servers on port 8448
 * look the same.
 *
 * @see https://spec.matrix.org/v1.19/appendices/#user-identifiers
 */
export function serverOf(user: UserId): ServerName {
  return user.slice(user.indexOf(':') + 1) as ServerName
}

/**
 * Returns whether a text is a user ID, including historical ones.
 *
 * @see https://spec.matrix.org/v1.19/appendices/#historical-user-ids
 */
export function isUserId(text: unknown): text is UserId {
  return typeof text === 'string' && text.charCodeAt(0) === 0x40 && isNamedOnServer(text)
}

/**
 * Returns whether a text is a room ID: with a domain, or since room version 12 with a hash alone.
 *
 * @see https://spec.matrix.org/v1.19/appendices/#room-ids
 */
export function isRoomId(text: unknown): text is RoomId {
  if (typeof text !== 'string' || text.charCodeAt(0) !== 0x21) return false
  return text.includes(':') ? isNamedOnServer(text) : URL_SAFE_HASH.test(text)
}

/**
 * Returns whether a text is an event ID of any room version.
 *
 * @see https://spec.matrix.org/v1.19/appendices/#event-ids
 */
export function isEventId(text: unknown): text is EventId {
  if (typeof text !== 'string' || text.charCodeAt(0) !== 0x24) return false
  return text.includes(':') ? isNamedOnServer(text) : HASH.test(text)
}

/**
 * Returns whether a text is a room alias.
 *
 * @see https://spec.matrix.org/v1.19/appendices/#room-aliases
 */
export function isRoomAlias(text: unknown): text is RoomAlias {
  return typeof text === 'string' && text.charCodeAt(0) === 0x23 && isNamedOnServer(text)
}

/**
 * Returns whether a text is a server name: a DNS name, an IPv4 address or a bracketed IPv6 address, with an optional
 * port.
 *
 * @see https://spec.matrix.org/v1.19/appendices/#server-name
 */
export function isServerName(text: unknown): text is ServerName {
  if (typeof text !== 'string' || text.length > 255 + 6) return false
  const bracketed = IPV6_NAME.exec(text)
  return bracketed ? isIPv6(bracketed[1] ?? '') : DNS_NAME.test(text)
}

/**
 * Returns whether a localpart is valid for a new account: lower case, digits and a few signs.
 *
 * @see https://spec.matrix.org/v1.19/appendices/#user-identifiers
 */
export function isValidLocalpart(text: string): boolean {
  return /^[a-z0-9._=/+-]+$/.test(text)
}

/** Returns the part between the sigil and the first colon. */
export function localpartOf(id: UserId | RoomAlias): string {
  return id.slice(1, id.indexOf(':'))
}

/** Returns a server's host without the port; an IPv6 address keeps its brackets. */
export function hostnameOf(server: ServerName): string {
  const colon = server.lastIndexOf(':')
  return colon === -1 || server.endsWith(']') ? server : server.slice(0, colon)
}

/** Returns whether a text has at most `most` bytes of UTF-8, the unit of every length in the spec. */
export function fitsBytes(text: string, most: number): boolean {
  return text.length * 3 <= most || (text.length <= most && Buffer.byteLength(text) <= most)
}

const HASH = /^\$[A-Za-z0-9+/_-]{43}$/
const URL_SAFE_HASH = /^![A-Za-z0-9_-]{43}$/
const DNS_NAME = /^[A-Za-z0-9.-]{1,255}(?::[0-9]{1,5})?$/
const IPV6_NAME = /^\[([0-9A-Fa-f:.]{2,45})\](?::[0-9]{1,5})?$/

/** Returns whether a text is `?localpart:server`, where the localpart has no colon, NUL or lone surrogate. */
function isNamedOnServer(text: string): boolean {
  const colon = text.indexOf(':')
  if (colon === -1 || !fitsBytes(text, 255) || !isServerName(text.slice(colon + 1))) return false
  const nul = text.indexOf('\0')
  return nul === -1 && text.isWellFormed()
}
