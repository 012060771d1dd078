// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isUserId, serverOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { member } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { profileOf } from '@myelin/storage/profiles'
import type { Runtime } from '../runtime.ts'
import { checkProfileKey } from './profile-field.ts'

type Needs = Pick<Runtime, 'db' | 'serverName'>

/**
 * Everything a user of this server tells about themselves; throws `M_NOT_FOUND` where that is nothing.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3profileuserid
 */
export async function loadProfile(rt: Needs, userId: UserId): Promise<JsonObject> {
  const isOurs = isUserId(userId) && serverOf(userId) === rt.serverName
  const profile = isOurs ? await profileOf(rt.db.read, userId) : {}
  if (Object.keys(profile).length === 0) throw new MatrixError('M_NOT_FOUND', 'that user tells nothing')
  return profile
}

/** One field of a user's profile; throws `M_NOT_FOUND` where it is not set. */
export async function loadProfileField(rt: Needs, userId: UserId, key: string): Promise<Json> {
  checkProfileKey(key)
  const value = member(await loadProfile(rt, userId), key)
  if (value === undefined) throw new MatrixError('M_NOT_FOUND', 'that user does not tell that')
  return value
}
