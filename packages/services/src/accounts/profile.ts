// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isUserId, serverOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { member } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { accountOf } from '@myelin/storage/accounts/accounts'
import { profileOf } from '@myelin/storage/accounts/profiles'
import { shareRoom } from '@myelin/storage/rooms/members/shared-rooms'
import { askProfile } from '../peers/profile.ts'
import { relayedError } from '../peers/ask-server.ts'
import type { Asker } from '../peers/ask-server.ts'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { checkProfileKey, MEMBER_FIELDS } from './profile-field.ts'

type Needs = Pick<Runtime, 'db' | 'serverName'> & Asker

/**
 * Refuses a reader of a profile where settings limit them: `M_MISSING_TOKEN` without a token, `M_FORBIDDEN` without a common room.
 */
export async function checkProfileReader(
  rt: Pick<Runtime, 'db' | 'config'>,
  { userId: reader }: Pick<Requester, 'userId'>,
  userId: UserId,
): Promise<void> {
  const { requiresToken, requiresSharedRoom } = rt.config.profiles
  if (requiresToken && reader === '') throw new MatrixError('M_MISSING_TOKEN', 'missing access token')
  if (!requiresSharedRoom || reader === userId || (await shareRoom(rt.db.read, reader, userId))) return
  throw new MatrixError('M_FORBIDDEN', 'you share no room with this user')
}

/** Returns the whole profile of a user of this server; throws `M_NOT_FOUND` where it has no field. */
export async function ownProfile(rt: Pick<Runtime, 'db'>, userId: UserId): Promise<JsonObject> {
  return orNothing(await profileOf(rt.db.read, userId))
}

/** Returns one field of the profile of a user of this server, as {@link loadProfileField} does. */
export async function ownProfileField(rt: Pick<Runtime, 'db'>, userId: UserId, key: string): Promise<JsonObject> {
  const profile = await profileOf(rt.db.read, userId)
  if (Object.keys(profile).length === 0) {
    const account = await accountOf(rt.db.read, userId)
    if (!account || account.isDeactivated) throw noProfile()
  }
  return fieldOf(profile, key)
}

/**
 * Returns the whole profile of a user of this server or another; throws `M_NOT_FOUND` where it has no field.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3profileuserid
 */
export async function loadProfile(rt: Needs, userId: UserId): Promise<JsonObject> {
  if (!isUserId(userId)) throw noProfile()
  if (serverOf(userId) === rt.serverName) return ownProfile(rt, userId)
  return orNothing(await remoteProfile(rt, userId))
}

/**
 * Returns one field of a user's profile under its name. An unset display name or avatar of a known user is an empty
 * object, as from Synapse; any other unset field, and an unknown user, throws `M_NOT_FOUND`.
 */
export async function loadProfileField(rt: Needs, userId: UserId, key: string): Promise<JsonObject> {
  checkProfileKey(key)
  if (!isUserId(userId)) throw noProfile()
  if (serverOf(userId) === rt.serverName) return ownProfileField(rt, userId, key)
  return fieldOf(await remoteProfile(rt, userId), key)
}

async function remoteProfile(rt: Needs, userId: UserId): Promise<JsonObject> {
  try {
    return await askProfile(rt, userId)
  } catch (cause) {
    throw cause instanceof MatrixError ? cause : relayedError(cause)
  }
}

function orNothing(profile: JsonObject): JsonObject {
  if (Object.keys(profile).length === 0) throw noProfile()
  return profile
}

function fieldOf(profile: JsonObject, key: string): JsonObject {
  const value = member(profile, key)
  if (value !== undefined) return { [key]: value }
  if (MEMBER_FIELDS.has(key)) return {}
  throw new MatrixError('M_NOT_FOUND', 'the profile has no such field')
}

function noProfile(): MatrixError {
  return new MatrixError('M_NOT_FOUND', 'Profile was not found')
}
