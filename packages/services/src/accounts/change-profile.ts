// SPDX-License-Identifier: Apache-2.0
import { canonicalJsonLoose } from '@myelin/matrix/canonical-json'
import { MatrixError } from '@myelin/matrix/errors'
import { isUserId, serverOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { member } from '@myelin/matrix/json'
import type { Json } from '@myelin/matrix/json'
import { accountOf } from '@myelin/storage/accounts/accounts'
import { noteProfileChange } from '@myelin/storage/accounts/profile-changes'
import { deleteProfileField, profileOf, putProfileField } from '@myelin/storage/accounts/profiles'
import type { Tx } from '@myelin/storage/engine/database'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { MEMBER_FIELDS, checkProfileKey, checkProfileSize, checkProfileValue } from './profile-field.ts'
import { refuseSuspended } from '../standing/suspension.ts'

/** A profile field and its new value; undefined deletes it. */
export interface ProfileChange {
  readonly userId: UserId
  readonly key: string
  readonly value: Json | undefined
}

type Needs = Pick<Runtime, 'db' | 'config' | 'limits' | 'serverName'>

/**
 * Changes a field of a profile: one's own, or as an admin that of any local user. Returns whether the user's rooms
 * must get the change.
 *
 * An empty display name or avatar deletes the field, as in Synapse.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3profileuseridkeyname
 */
export async function changeProfile(rt: Needs, requester: Requester, change: ProfileChange): Promise<boolean> {
  const { userId, key } = change
  checkProfileKey(key)
  if (requester.isGuest && key !== 'displayname')
    throw new MatrixError('M_GUEST_ACCESS_FORBIDDEN', 'guests may change their display name only')
  if (change.value !== undefined) checkProfileValue(key, change.value)
  await checkMayChange(rt, requester, userId, key)
  rt.limits.take('message', requester.userId)
  const isInMember = MEMBER_FIELDS.has(key)
  const value = isInMember && change.value === '' ? undefined : change.value
  const isChanged = await rt.db.write(async (tx) => {
    const isChanged = await storeField(tx, { userId, key, value })
    if (isChanged && rt.config.profiles.isInSync) await noteProfileChange(tx, { userId, field: key })
    return isChanged
  })
  return isChanged && isInMember
}

/**
 * Sets fields of a local user's profile for an admin, without a rate limit; an empty text deletes a field. Returns
 * whether the user's rooms must get the change.
 */
export async function setProfileFields(
  rt: Pick<Runtime, 'config'>,
  tx: Tx,
  userId: UserId,
  fields: ReadonlyMap<string, string>,
): Promise<boolean> {
  let isChanged = false
  for (const [key, given] of fields) {
    const value = given === '' ? undefined : given
    if (value !== undefined) checkProfileValue(key, value)
    const isOther = await storeField(tx, { userId, key, value })
    if (isOther && rt.config.profiles.isInSync) await noteProfileChange(tx, { userId, field: key })
    isChanged ||= isOther
  }
  return isChanged
}

/** Returns whether the field had another value. */
async function storeField(tx: Tx, { userId, key, value }: ProfileChange): Promise<boolean> {
  const profile = await profileOf(tx, userId)
  const before = member(profile, key)
  if (value === undefined) {
    await deleteProfileField(tx, userId, key)
    return before !== undefined
  }
  checkProfileSize({ ...profile, [key]: value })
  await putProfileField(tx, userId, key, value)
  return before === undefined || canonicalJsonLoose(before) !== canonicalJsonLoose(value)
}

async function checkMayChange(rt: Needs, requester: Requester, userId: UserId, key: string): Promise<void> {
  const isOwn = requester.userId === userId
  if (!isOwn && !requester.isAdmin)
    throw new MatrixError('M_FORBIDDEN', 'you do not have permission to change the profile of another user')
  const isOurs = isUserId(userId) && serverOf(userId) === rt.serverName
  const account = isOurs ? await accountOf(rt.db.read, userId) : undefined
  if (!account || account.isDeactivated) throw new MatrixError('M_NOT_FOUND', 'no such user')
  if (requester.isAdmin) return
  await refuseSuspended(rt, userId)
  if (lockedProfileFields(rt).includes(key))
    throw new MatrixError('M_FORBIDDEN', `\`${key}\` cannot be changed on this server`)
}

/** Returns the profile fields that users of this server may not change. */
export function lockedProfileFields({ config }: Pick<Runtime, 'config'>): string[] {
  const { maySetDisplayName, maySetAvatarUrl } = config.profiles
  return [...(maySetDisplayName ? [] : ['displayname']), ...(maySetAvatarUrl ? [] : ['avatar_url'])]
}
