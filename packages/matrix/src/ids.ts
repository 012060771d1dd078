// SPDX-License-Identifier: Apache-2.0
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
 * The server a user belongs to: everything after the *first* colon.
 *
 * A server name may carry a port (`@a:host:8448`), so splitting at the last
 * colon would make every server on port 8448 look like the same one.
 *
 * @see https://spec.matrix.org/v1.19/appendices/#user-identifiers
 */
export function serverOf(user: UserId): ServerName {
  return user.slice(user.indexOf(':') + 1) as ServerName
}
