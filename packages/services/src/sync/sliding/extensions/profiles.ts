// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { member } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { membersOf } from '@myelin/storage/rooms/members/members'
import { profileUpdates } from '../../profile-updates.ts'
import type { ProfileUpdate } from '../../profile-updates.ts'
import type { RoomResult } from '../room-result.ts'
import type { AnsweredScope } from '../sliding-scope.ts'
import { checkRooms, wantedBy } from './extension.ts'
import type { SlidingExtension } from './extension.ts'

/**
 * `org.matrix.msc4262.profiles`: whole profiles of shown users of this server, and the changes in those of
 * all who share a room with the user. They may be spread over several answers.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4262
 */
export const profilesExtension: SlidingExtension = {
  name: 'org.matrix.msc4262.profiles',
  async begin(_rt, _requester, config) {
    checkRooms(config)
    fieldsOf(config)
  },
  async read(scope, config) {
    const { isInSync, maxInAnswer: limit } = scope.sync.tools.config.profiles
    if (!isInSync) return undefined
    const shown = await shownUsers(scope, config)
    const question = { shown, startsWithAll: false, fields: fieldsOf(config), limit }
    const { updates, next: profiles } = await profileUpdates(scope.sync, question)
    const users = Object.fromEntries([...updates].map(([user, update]) => [user, entryOf(update)]))
    return { value: { users }, hasNews: updates.size > 0, token: { profiles } }
  },
}

function entryOf(update: ProfileUpdate): object | null {
  if (update === null) return null
  return {
    ...(update.updated.size > 0 ? { updated: Object.fromEntries(update.updated) } : {}),
    ...(update.removed.size > 0 ? { removed: [...update.removed] } : {}),
  }
}

/** Returns the users whose profiles a client needs for the rooms in the answer, and the user at the first one. */
async function shownUsers(scope: AnsweredScope, config: JsonObject): Promise<Set<UserId>> {
  const users = new Set<UserId>(scope.sync.slice.since ? [] : [scope.sync.slice.user])
  for (const roomId of wantedBy(scope, config)) {
    const result = scope.results.get(roomId)
    if (result?.membership === 'join') await addUsersOf(scope, roomId, result, users)
  }
  return users
}

/** Adds the users of a room: of a lazily loaded one, only shown users. */
async function addUsersOf(
  { sync, windows }: AnsweredScope,
  roomId: RoomId,
  { isInitial, timeline, heroes = [] }: RoomResult,
  users: Set<UserId>,
): Promise<void> {
  for (const { pdu } of timeline?.stored ?? []) {
    users.add(pdu.sender)
    if (pdu.type === 'm.room.member' && pdu.stateKey !== undefined) users.add(pdu.stateKey as UserId)
  }
  for (const { user_id: hero } of heroes) users.add(hero as UserId)
  if (!isInitial || windows.rooms.get(roomId)?.requested.selection.isLazy === true) return
  for (const { userId } of await membersOf(sync.db, roomId, ['join'])) users.add(userId)
}

function fieldsOf(config: JsonObject): ReadonlySet<string> | undefined {
  const fields = member(config, 'fields')
  if (fields === undefined) return undefined
  if (!Array.isArray(fields) || !fields.every((each) => typeof each === 'string'))
    throw new MatrixError('M_INVALID_PARAM', '`fields` of an extension must be a list of strings')
  return new Set(fields as readonly string[])
}
