// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import { accountOf } from '@myelin/storage/accounts/accounts'
import type { Runtime } from '../runtime/runtime.ts'
import { makeAccount } from './make-account.ts'

/** Returns the user ID of a localpart of the configuration, and makes the account, without a password, where it does not exist. */
export async function systemAccount(
  rt: Pick<Runtime, 'db' | 'clock' | 'serverName'>,
  localpart: string,
): Promise<UserId> {
  const userId = `@${localpart}:${rt.serverName}` as UserId
  if (await accountOf(rt.db.read, userId)) return userId
  try {
    await rt.db.write((tx) => makeAccount(rt, tx, { userId, passwordHash: null, isAdmin: false }))
  } catch (cause) {
    // Another request made it.
    if (!(cause instanceof MatrixError && cause.code === 'M_USER_IN_USE')) throw cause
  }
  return userId
}
