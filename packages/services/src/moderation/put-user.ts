// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isUserId, localpartOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { accountOf, putAdmin, putLocked, putPasswordHash, reopenAccount } from '@myelin/storage/accounts/accounts'
import type { Account } from '@myelin/storage/accounts/accounts'
import { ADMIN_DEVICE, deleteDevices, devicesOf } from '@myelin/storage/accounts/devices'
import type { Tx } from '@myelin/storage/engine/database'
import { setProfileFields } from '../accounts/change-profile.ts'
import { endAccount } from '../accounts/deactivate-account.ts'
import { makeAccount } from '../accounts/make-account.ts'
import { checkPasswordLength, hashPassword } from '../accounts/passwords.ts'
import { checkProfileValue } from '../accounts/profile-field.ts'
import { freeUserId } from '../accounts/usernames.ts'
import { announceProfile, leaveEveryRoom } from '../rooms/membership.ts'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { refuseRemoteUser } from './local-account.ts'

/** A change of a user by an admin. Members that are undefined change nothing. */
export interface UserChange {
  /** Empty deletes it. */
  readonly displayName?: string | undefined
  /** Empty deletes it. */
  readonly avatarUrl?: string | undefined
  readonly password?: string | undefined
  /** A new password logs the user's devices out. */
  readonly logsOutDevices: boolean
  readonly isAdmin?: boolean | undefined
  readonly isDeactivated?: boolean | undefined
  readonly isLocked?: boolean | undefined
}

/**
 * Creates a user of this server, or changes one. Everything but leaving and updating rooms is one unit. Returns whether the
 * user is new.
 *
 * @throws MatrixError `M_UNKNOWN` with status 400 for users of other servers and one's own demotion, `M_INVALID_USERNAME`
 * @see https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#create-or-modify-account
 */
export async function putUser(
  rt: Runtime,
  requester: Requester,
  userId: UserId,
  change: UserChange,
): Promise<{ readonly isNew: boolean }> {
  refuseRemoteUser(rt, userId)
  const before = isUserId(userId) ? await accountOf(rt.db.read, userId) : undefined
  checkChange(requester, userId, change)
  if (!before) await checkName(rt, userId)
  const passwordHash = change.password === undefined ? undefined : await hashPassword(rt, change.password)
  const done = await rt.db.write(async (tx) => {
    const account = await accountOf(tx, userId)
    if (!account) await createUser(rt, tx, userId, { ...change, passwordHash })
    return {
      isNew: !account,
      wasDeactivated: account?.isDeactivated === true,
      isShown: await writeChange(rt, tx, { requester, userId, change, account, passwordHash }),
    }
  })
  if (change.isDeactivated && !done.wasDeactivated) {
    await endAccount(rt, userId, false, (user) => leaveEveryRoom(rt, user))
  } else if (done.isShown && !done.isNew) await announceProfile(rt, userId)
  return { isNew: done.isNew }
}

function checkChange(requester: Requester, userId: UserId, change: UserChange): void {
  if (change.isDeactivated && change.isLocked) {
    throw new MatrixError('M_UNKNOWN', 'a user cannot be deactivated and locked', { status: 400 })
  }
  if (change.isAdmin === false) refuseOwnDemotion(requester, userId)
  if (change.password !== undefined) checkPasswordLength(change.password)
  if (change.displayName !== undefined) checkProfileValue('displayname', change.displayName)
  if (change.avatarUrl !== undefined) checkProfileValue('avatar_url', change.avatarUrl)
}

async function checkName(rt: Runtime, userId: UserId): Promise<void> {
  const made = await freeUserId(rt, localpartOf(userId))
  if (made !== userId) throw new MatrixError('M_INVALID_USERNAME', 'a username must be in lower case')
}

interface NewUser extends UserChange {
  readonly passwordHash: string | undefined
}

async function createUser(rt: Runtime, tx: Tx, userId: UserId, change: NewUser): Promise<void> {
  await makeAccount(rt, tx, { userId, passwordHash: change.passwordHash ?? null, isAdmin: change.isAdmin === true })
}

interface Writing {
  readonly requester: Requester
  readonly userId: UserId
  readonly change: UserChange
  readonly account: Account | undefined
  readonly passwordHash: string | undefined
}

/** Returns whether the user's rooms must get the change of the profile. */
async function writeChange(rt: Runtime, tx: Tx, { requester, userId, change, account, passwordHash }: Writing) {
  if (account?.isDeactivated && change.isDeactivated === false) await reopenAccount(tx, userId)
  if (account && change.isAdmin !== undefined) await putAdmin(tx, userId, change.isAdmin)
  if (change.isLocked !== undefined) await putLocked(tx, userId, change.isLocked)
  if (account && passwordHash !== undefined) await replacePassword(tx, requester, userId, { passwordHash, ...change })
  // A deactivated account has no profile.
  if (account?.isDeactivated && change.isDeactivated !== false) return false
  const fields = new Map<string, string>()
  if (change.displayName !== undefined) fields.set('displayname', change.displayName)
  if (change.avatarUrl !== undefined) fields.set('avatar_url', change.avatarUrl)
  return setProfileFields(rt, tx, userId, fields)
}

/** Replaces a password, and logs out all devices but the requester's own where that is wanted. */
export async function replacePassword(
  tx: Tx,
  requester: Requester,
  userId: UserId,
  { passwordHash, logsOutDevices }: { readonly passwordHash: string; readonly logsOutDevices: boolean },
): Promise<void> {
  await putPasswordHash(tx, userId, passwordHash)
  if (!logsOutDevices) return
  const ids = [...(await devicesOf(tx, userId)).map(({ deviceId }) => deviceId), ADMIN_DEVICE]
  const kept = requester.userId === userId ? requester.deviceId : undefined
  await deleteDevices(
    tx,
    userId,
    ids.filter((id) => id !== kept),
  )
}

/** Throws `M_UNKNOWN` with status 400 where an admin would take the rights from themselves. */
export function refuseOwnDemotion(requester: Requester, userId: UserId): void {
  if (requester.userId === userId) {
    throw new MatrixError('M_UNKNOWN', 'you cannot demote yourself', { status: 400 })
  }
}
