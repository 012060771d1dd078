// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isUserId, serverOf } from '@myelin/matrix/ids'
import type { ServerName, UserId } from '@myelin/matrix/ids'

/** Queries about users, separated into local users and those of other servers. */
export interface AskedUsers<Wish> {
  readonly local: ReadonlyMap<UserId, Wish>
  readonly away: ReadonlyMap<ServerName, ReadonlyMap<UserId, Wish>>
}

/** Separates a request's map of users by server; throws `M_INVALID_PARAM` if a key is not a user ID. */
export function askedUsers<Wish>(here: ServerName, asked: Readonly<Record<string, Wish>>): AskedUsers<Wish> {
  const local = new Map<UserId, Wish>()
  const away = new Map<ServerName, Map<UserId, Wish>>()
  for (const [user, wish] of Object.entries(asked)) {
    if (!isUserId(user)) throw new MatrixError('M_INVALID_PARAM', 'a key of the map is not a user ID')
    const server = serverOf(user)
    if (server === here) local.set(user, wish)
    else away.set(server, (away.get(server) ?? new Map<UserId, Wish>()).set(user, wish))
  }
  return { local, away }
}
