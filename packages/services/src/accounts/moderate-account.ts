// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isUserId, serverOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { accountOf, putLocked, putSuspended } from '@myelin/storage/accounts/accounts'
import type { Account } from '@myelin/storage/accounts/accounts'
import type { Requester, Runtime } from '../runtime/runtime.ts'

type Needs = Pick<Runtime, 'db' | 'serverName'>

/** A sanction that an admin can put on an account. */
export type Sanction = 'locked' | 'suspended'

/**
 * Returns whether an account is locked or suspended.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#account-moderation
 */
export async function isSanctioned(rt: Needs, sanction: Sanction, userId: UserId): Promise<boolean> {
  const account = await moderatedAccount(rt, userId)
  return sanction === 'locked' ? account.isLocked : account.isSuspended
}

/** Locks or suspends an account, or lifts that; refused for one's own account and other admins'. */
export async function sanction(
  rt: Needs,
  requester: Requester,
  order: { readonly sanction: Sanction; readonly userId: UserId; readonly isOn: boolean },
): Promise<void> {
  const account = await moderatedAccount(rt, order.userId)
  if (account.userId === requester.userId) throw new MatrixError('M_FORBIDDEN', 'you cannot moderate your own account')
  if (account.isAdmin) throw new MatrixError('M_FORBIDDEN', 'you cannot moderate the account of an admin')
  const put = order.sanction === 'locked' ? putLocked : putSuspended
  await rt.db.write((tx) => put(tx, account.userId, order.isOn))
}

async function moderatedAccount(rt: Needs, userId: UserId): Promise<Account> {
  if (serverOf(userId) !== rt.serverName) throw new MatrixError('M_INVALID_PARAM', 'user is not on this server')
  const account = isUserId(userId) ? await accountOf(rt.db.read, userId) : undefined
  if (!account || account.isDeactivated) throw new MatrixError('M_NOT_FOUND', 'no such user')
  return account
}
