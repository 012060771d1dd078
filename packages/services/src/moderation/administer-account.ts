// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isUserId } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { accountOf, putAdmin, putSuspended } from '@myelin/storage/accounts/accounts'
import { endAccount } from '../accounts/deactivate-account.ts'
import { checkPasswordLength, hashPassword } from '../accounts/passwords.ts'
import { issueAdminToken } from '../accounts/start-session.ts'
import { freeUserId } from '../accounts/usernames.ts'
import { leaveEveryRoom } from '../rooms/membership.ts'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { localAccount, refuseRemoteUser } from './local-account.ts'
import { refuseOwnDemotion, replacePassword } from './put-user.ts'

/** Deactivates a user of this server for an admin; once more where that was not finished. */
export async function deactivateUser(rt: Runtime, userId: UserId, isErased: boolean): Promise<void> {
  await localAccount(rt, userId)
  await endAccount(rt, userId, isErased, (user) => leaveEveryRoom(rt, user))
}

/**
 * Replaces a user's password for an admin.
 *
 * @throws MatrixError `M_FORBIDDEN` where passwords are disabled or the account is deactivated
 */
export async function resetPassword(
  rt: Runtime,
  requester: Requester,
  userId: UserId,
  order: { readonly password: string; readonly logsOutDevices: boolean },
): Promise<void> {
  const { password, logsOutDevices } = order
  if (!rt.config.passwords.isEnabled) throw new MatrixError('M_FORBIDDEN', 'password authentication is disabled')
  checkPasswordLength(password)
  await refuseDeactivated(rt, userId)
  const passwordHash = await hashPassword(rt, password)
  await rt.db.write((tx) => replacePassword(tx, requester, userId, { passwordHash, logsOutDevices }))
}

/** Returns whether a user of this server is an admin; false where there is no such user. */
export async function isAdminUser(rt: Pick<Runtime, 'db' | 'serverName'>, userId: UserId): Promise<boolean> {
  refuseRemoteUser(rt, userId)
  const account = isUserId(userId) ? await accountOf(rt.db.read, userId) : undefined
  return account?.isAdmin === true
}

/** Makes a user of this server an admin, or an ordinary one; nobody demotes themselves. */
export async function setAdminUser(rt: Runtime, requester: Requester, userId: UserId, isAdmin: boolean): Promise<void> {
  const account = await localAccount(rt, userId)
  if (!isAdmin) refuseOwnDemotion(requester, userId)
  await rt.db.write((tx) => putAdmin(tx, account.userId, isAdmin))
}

/** Suspends a user of this server, or ends the suspension. */
export async function suspendUser(rt: Runtime, userId: UserId, isSuspended: boolean): Promise<void> {
  const account = await localAccount(rt, userId)
  await rt.db.write((tx) => putSuspended(tx, account.userId, isSuspended))
}

/**
 * Returns an access token by which an admin acts for another user of this server, without a device.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#login-as-a-user
 */
export async function logInAs(
  rt: Runtime,
  requester: Requester,
  userId: UserId,
  expiresTs: number | null,
): Promise<string> {
  await refuseDeactivated(rt, userId)
  if (requester.userId === userId) {
    throw new MatrixError('M_UNKNOWN', 'you cannot log in as yourself here', { status: 400 })
  }
  const token = await rt.db.write((tx) => issueAdminToken(rt, tx, userId, expiresTs))
  rt.log.info({ admin: requester.userId, user: userId }, 'an admin logged in as a user')
  return token
}

/** Throws the errors of a registration where a username is invalid or taken. */
export async function checkUsernameAvailable(rt: Runtime, username: string): Promise<void> {
  await freeUserId(rt, username)
}

async function refuseDeactivated(rt: Runtime, userId: UserId): Promise<void> {
  const account = await localAccount(rt, userId)
  if (account.isDeactivated) throw new MatrixError('M_FORBIDDEN', 'the account is deactivated')
}
