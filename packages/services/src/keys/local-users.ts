// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isUserId, serverOf } from '@myelin/matrix/ids'
import type { ServerName, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'

/** What is asked of users, apart by where they live. */
export interface AskedUsers<Wish> {
  readonly local: ReadonlyMap<UserId, Wish>
  /** A word for every server that could not be asked. */
  readonly failures: JsonObject
}

/** Sorts a map by user from outside; throws `M_INVALID_PARAM` where a key is not a user id. */
export function askedUsers<Wish>(here: ServerName, asked: Readonly<Record<string, Wish>>): AskedUsers<Wish> {
  const local = new Map<UserId, Wish>()
  const away = new Set<ServerName>()
  for (const [user, wish] of Object.entries(asked)) {
    if (!isUserId(user)) throw new MatrixError('M_INVALID_PARAM', 'a key of the map is not a user id')
    if (serverOf(user) === here) local.set(user, wish)
    else away.add(serverOf(user))
  }
  // NOTE: until there is federation, every other server is one that cannot be reached.
  const failures = Object.fromEntries(
    [...away].map((server) => [server, { status: 503, message: 'the server cannot be reached' }]),
  )
  return { local, failures }
}
