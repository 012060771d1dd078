// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isUserId, serverOf } from '@myelin/matrix/ids'
import type { ServerName, UserId } from '@myelin/matrix/ids'

/** Queries about users, separated into local users and those of other servers. */
export interface AskedUsers<Query> {
  readonly local: ReadonlyMap<UserId, Query>
  readonly away: ReadonlyMap<ServerName, ReadonlyMap<UserId, Query>>
}

/** Separates a request's map of users by server; throws `M_INVALID_PARAM` if a key is not a user ID. */
export function askedUsers<Query>(here: ServerName, asked: Readonly<Record<string, Query>>): AskedUsers<Query> {
  const local = new Map<UserId, Query>()
  const away = new Map<ServerName, Map<UserId, Query>>()
  for (const [user, query] of Object.entries(asked)) {
    if (!isUserId(user)) throw new MatrixError('M_INVALID_PARAM', 'a key of the map is not a user ID')
    const server = serverOf(user)
    if (server === here) local.set(user, query)
    else away.set(server, (away.get(server) ?? new Map<UserId, Query>()).set(user, query))
  }
  return { local, away }
}
