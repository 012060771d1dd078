// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isUserId, serverOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { member } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { profileOf } from '@myelin/storage/accounts/profiles'
import { askProfile } from '../peers/profile.ts'
import { relayed } from '../peers/ask-server.ts'
import type { Asker } from '../peers/ask-server.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { checkProfileKey } from './profile-field.ts'

type Needs = Pick<Runtime, 'db' | 'serverName'> & Asker

/** Returns a local user's profile; throws `M_NOT_FOUND` where it is empty. */
export async function ownProfile(rt: Pick<Runtime, 'db'>, userId: UserId): Promise<JsonObject> {
  return orNothing(await profileOf(rt.db.read, userId))
}

/** Returns one field of a local user's profile; throws `M_NOT_FOUND` where it is not set. */
export async function ownProfileField(rt: Pick<Runtime, 'db'>, userId: UserId, key: string): Promise<Json> {
  return fieldOf(await ownProfile(rt, userId), key)
}

/**
 * Returns the profile of a local or remote user; throws `M_NOT_FOUND` where it is empty.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3profileuserid
 */
export async function loadProfile(rt: Needs, userId: UserId): Promise<JsonObject> {
  if (!isUserId(userId)) return orNothing({})
  if (serverOf(userId) === rt.serverName) return ownProfile(rt, userId)
  try {
    return orNothing(await askProfile(rt, userId))
  } catch (cause) {
    throw cause instanceof MatrixError ? cause : relayed(cause)
  }
}

/** Returns one field of a local or remote user's profile; throws `M_NOT_FOUND` where it is not set. */
export async function loadProfileField(rt: Needs, userId: UserId, key: string): Promise<Json> {
  checkProfileKey(key)
  return fieldOf(await loadProfile(rt, userId), key)
}

function orNothing(profile: JsonObject): JsonObject {
  if (Object.keys(profile).length === 0) throw new MatrixError('M_NOT_FOUND', 'user has no profile')
  return profile
}

function fieldOf(profile: JsonObject, key: string): Json {
  const value = member(profile, key)
  if (value === undefined) throw new MatrixError('M_NOT_FOUND', 'the profile field is not set')
  return value
}
