// SPDX-License-Identifier: Apache-2.0
import type { ListedUser } from '@myelin/services/moderation/list-users'
import { Type } from 'typebox'
import { UserIdSchema } from '../../../schemas.ts'

/** The parameter of operations on one user. */
export const UserParams = Type.Object({ userId: UserIdSchema })

const Null = Type.Null()
const TextOrNull = Type.Union([Type.String(), Null])
const TimeOrNull = Type.Union([Type.Integer(), Null])
const Flag = Type.Boolean()

/** An entry of the list of users. `creation_ts` and `last_seen_ts` are in ms. */
export const UserEntry = Type.Object({
  name: Type.String(),
  user_type: Null,
  is_guest: Flag,
  admin: Flag,
  deactivated: Flag,
  shadow_banned: Flag,
  displayname: TextOrNull,
  avatar_url: TextOrNull,
  creation_ts: Type.Integer(),
  erased: Flag,
  last_seen_ts: TimeOrNull,
  locked: Flag,
})

/** Returns the {@link UserEntry} of a user. */
export function userEntry(user: ListedUser) {
  return {
    name: user.userId,
    user_type: null,
    is_guest: user.isGuest,
    admin: user.isAdmin,
    deactivated: user.isDeactivated,
    shadow_banned: false,
    displayname: user.displayName,
    avatar_url: user.avatarUrl,
    creation_ts: user.createdTs,
    erased: user.isErased,
    last_seen_ts: user.lastSeenTs,
    locked: user.isLocked,
  }
}

/** One user. `creation_ts` is in seconds, `last_seen_ts` in ms, as in Synapse. Accounts have none of what is null here. */
export const UserReply = Type.Object({
  name: Type.String(),
  admin: Flag,
  deactivated: Flag,
  locked: Flag,
  shadow_banned: Flag,
  creation_ts: Type.Integer(),
  appservice_id: Null,
  consent_server_notice_sent: Null,
  consent_version: Null,
  consent_ts: Null,
  user_type: Null,
  is_guest: Flag,
  suspended: Flag,
  displayname: TextOrNull,
  avatar_url: TextOrNull,
  threepids: Type.Array(Type.Object({})),
  external_ids: Type.Array(Type.Object({})),
  erased: Flag,
  last_seen_ts: TimeOrNull,
})

/** Returns the {@link UserReply} of a user. */
export function userReply(user: ListedUser) {
  return {
    name: user.userId,
    admin: user.isAdmin,
    deactivated: user.isDeactivated,
    locked: user.isLocked,
    shadow_banned: false,
    creation_ts: Math.floor(user.createdTs / 1000),
    appservice_id: null,
    consent_server_notice_sent: null,
    consent_version: null,
    consent_ts: null,
    user_type: null,
    is_guest: user.isGuest,
    suspended: user.isSuspended,
    displayname: user.displayName,
    avatar_url: user.avatarUrl,
    threepids: [],
    external_ids: [],
    erased: user.isErased,
    last_seen_ts: user.lastSeenTs,
  }
}
