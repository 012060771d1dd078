// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { fitsBytes, isUserId, isValidLocalpart } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { accountOf } from '@myelin/storage/accounts/accounts'
import type { Account } from '@myelin/storage/accounts/accounts'
import { tokenOwner } from '@myelin/storage/accounts/sessions'
import type { Read } from '@myelin/storage/engine/database'
import { appServices } from '../runtime/app-services.ts'
import type { Runtime } from '../runtime/runtime.ts'

const MAX_BYTES = 255

/**
 * Returns the user ID for a username; throws `M_INVALID_USERNAME` where it is invalid.
 *
 * Upper case becomes lower case. Names of digits alone are reserved for guests, and those with a leading underscore
 * for application services, as in Synapse.
 *
 * @see https://spec.matrix.org/v1.19/appendices/#user-identifiers
 */
function newUserId(rt: Pick<Runtime, 'serverName'>, username: string, isOfGuest = false): UserId {
  const localpart = username.toLowerCase()
  const refuse = (why: string) => new MatrixError('M_INVALID_USERNAME', why)
  if (localpart === '') throw refuse('a username must not be empty')
  if (!isValidLocalpart(localpart)) throw refuse('a username must consist of a-z, 0-9 and . _ = - / +')
  if (localpart.startsWith('_')) throw refuse('a username must not begin with an underscore')
  if (!isOfGuest && /^\d+$/.test(localpart)) throw refuse('a username must not be a number')
  const userId = `@${localpart}:${rt.serverName}`
  if (!fitsBytes(userId, MAX_BYTES) || !isUserId(userId)) throw refuse('the username is too long')
  return userId
}

/**
 * Returns the user ID like {@link newUserId}; throws `M_USER_IN_USE` for a name in use, or used before, and `M_EXCLUSIVE` for
 * one that is reserved for an application service.
 */
export async function freeUserId(rt: Pick<Runtime, 'db' | 'serverName' | 'config'>, username: string): Promise<UserId> {
  const userId = newUserId(rt, username)
  if (appServices(rt.config).reservesUser(userId)) throw reservedUser()
  if (await accountOf(rt.db.read, userId)) throw userInUse()
  return userId
}

/** Returns the error for a user ID that is reserved for an application service. */
export function reservedUser(): MatrixError {
  return new MatrixError('M_EXCLUSIVE', 'this user ID is reserved by an application service')
}

/**
 * Returns the user ID of a guest who upgrades the account; throws `M_FORBIDDEN` where the token is not that guest's.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#guest-access
 */
export async function guestUserId(
  rt: Pick<Runtime, 'db' | 'serverName'>,
  username: string,
  token: string,
): Promise<UserId> {
  const userId = newUserId(rt, username, true)
  const owner = await tokenOwner(rt.db.read, token)
  if (owner?.userId === userId && owner.isGuest && !owner.isLocked) return userId
  throw new MatrixError('M_FORBIDDEN', '`guest_access_token` is not a token of the guest `username`')
}

/** Returns the error for a username in use. */
export function userInUse(): MatrixError {
  return new MatrixError('M_USER_IN_USE', 'username is already in use')
}

/** Returns the account of a localpart or user ID; case matters only where two accounts differ by it alone. */
export async function accountNamed(
  rt: Pick<Runtime, 'serverName'>,
  db: Read,
  name: string,
): Promise<Account | undefined> {
  const userId = name.startsWith('@') ? name : `@${name}:${rt.serverName}`
  if (!isUserId(userId) || !userId.endsWith(`:${rt.serverName}`)) return undefined
  const exact = await accountOf(db, userId)
  if (exact) return exact
  const localpart = userId.slice(0, -rt.serverName.length).toLowerCase()
  const folded = `${localpart}${rt.serverName}`
  return isUserId(folded) && folded !== userId ? accountOf(db, folded) : undefined
}
