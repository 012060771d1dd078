// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isUserId, serverOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { accountOf } from '@myelin/storage/accounts/accounts'
import type { Account } from '@myelin/storage/accounts/accounts'
import type { Runtime } from '../runtime/runtime.ts'

/**
 * Returns the account of a user of this server, a deactivated one too, for an admin.
 *
 * @throws MatrixError `M_UNKNOWN` with status 400 for users of other servers, as Synapse; `M_NOT_FOUND`
 */
export async function localAccount(rt: Pick<Runtime, 'db' | 'serverName'>, userId: UserId): Promise<Account> {
  refuseRemoteUser(rt, userId)
  const account = isUserId(userId) ? await accountOf(rt.db.read, userId) : undefined
  if (!account) throw new MatrixError('M_NOT_FOUND', 'no such user')
  return account
}

/** Throws `M_UNKNOWN` with status 400 for users of other servers. */
export function refuseRemoteUser({ serverName }: Pick<Runtime, 'serverName'>, userId: UserId): void {
  if (serverOf(userId) !== serverName)
    throw new MatrixError('M_UNKNOWN', 'admins can act on users of this server only', { status: 400 })
}
