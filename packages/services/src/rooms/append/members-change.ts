// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import { serverOf } from '@myelin/matrix/ids'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { stateKey } from '@myelin/rules/auth/state-key'
import { isGuest } from '@myelin/storage/accounts/accounts'
import type { Read, Tx } from '@myelin/storage/engine/database'
import { putStrippedState } from '@myelin/storage/rooms/members/members'
import { profileOf } from '@myelin/storage/accounts/profiles'
import { openRoom } from '@myelin/storage/rooms/rooms'
import type { OpenRoom } from '@myelin/storage/rooms/rooms'
import type { Nid } from '@myelin/storage/schema/schema'
import { allowsGuests, guestsRefused } from '../../room-state/guest-access.ts'
import type { EventMaker } from '../drafts/event-draft.ts'
import { refuseBlockedInvite } from '../../standing/invite-rules.ts'
import { extendRoom } from './extend-room.ts'
import { isNeed } from '../resolution/unit-needs.ts'
import type { UnitNeed } from '../resolution/unit-needs.ts'
import { loadState } from '../../room-state/load-auth-state.ts'
import { strippedStateOf } from '../../room-state/stripped-state.ts'
import { roomVersionOf } from '../../room-state/versions.ts'
import { authorisingUserFor } from './authorising-user.ts'

/** A membership change: sender, target, room and new membership. */
export interface MembershipChange {
  readonly roomId: RoomId
  readonly sender: UserId
  readonly target: UserId
  readonly membership: 'join' | 'invite' | 'leave' | 'ban' | 'knock'
  readonly reason?: string
  /** Further content members, such as `is_direct`. */
  readonly extra?: JsonObject
}

/**
 * Changes a membership inside a unit of work: builds the content with the target's profile, authorizes and appends the
 * event, and stores the stripped state for an invited user. Returns the ID of the current event where nothing changes.
 *
 * Throws `M_NOT_FOUND` for an unknown room and `M_INVITE_BLOCKED` where the target refuses invites.
 */
export async function changeMembership(tx: Tx, rt: EventMaker, change: MembershipChange): Promise<EventId | UnitNeed> {
  const room = await openRoom(tx, change.roomId)
  if (!room) throw new MatrixError('M_NOT_FOUND', 'no such room')
  const content = await contentFor(tx, rt, room, change)
  const current = await loadState(tx, room.stateRoot, [['m.room.member', change.target]])
  const standing = current.get(stateKey('m.room.member', change.target))
  if (standing && isSameContent(standing.content, content) && change.membership !== 'invite') return standing.id
  if (change.membership === 'invite') await refuseBlockedInvite(tx, change.target, change.sender)
  if (change.membership === 'join') await refuseGuest(tx, rt, room.stateRoot, change.target)
  const { roomId, sender, target } = change
  const draft = { roomId, sender, type: 'm.room.member', stateKey: target, content }
  const extended = await extendRoom(tx, rt, room, draft)
  if (isNeed(extended)) return extended
  const { event } = extended
  if (change.membership === 'invite' || change.membership === 'knock') {
    const shown = await strippedStateOf(tx, room.stateRoot, event)
    await putStrippedState(tx, roomId, target, JSON.stringify(shown))
  }
  return event.id
}

/** Refuses a guest of this server where a room does not allow guests. */
async function refuseGuest(
  db: Read,
  { serverName }: Pick<EventMaker, 'serverName'>,
  stateRoot: Nid,
  user: UserId,
): Promise<void> {
  if (serverOf(user) !== serverName || !(await isGuest(db, user)) || (await allowsGuests(db, stateRoot))) return
  throw guestsRefused()
}

async function contentFor(tx: Tx, rt: EventMaker, room: OpenRoom, change: MembershipChange): Promise<JsonObject> {
  const content = await memberContent(tx, rt, change)
  const entered = { id: room.id, stateRoot: room.stateRoot, version: roomVersionOf(room.roomVersion) }
  const authorisingUser =
    change.membership === 'join' ? await authorisingUserFor(tx, rt, entered, change.target) : undefined
  return authorisingUser === undefined ? content : { ...content, join_authorised_via_users_server: authorisingUser }
}

/** Returns the content of a member event: membership, reason, and the profile of a local user. */
export async function memberContent(
  db: Read,
  rt: Pick<EventMaker, 'serverName'>,
  change: Omit<MembershipChange, 'roomId' | 'sender'>,
): Promise<JsonObject> {
  const content: Record<string, Json> = { ...change.extra, membership: change.membership }
  if (change.reason !== undefined) content['reason'] = change.reason
  const isOurs = serverOf(change.target) === rt.serverName
  if (!isOurs || !['join', 'invite', 'knock'].includes(change.membership)) return content
  for (const [field, value] of Object.entries(await profileOf(db, change.target))) {
    if (!(field in content) && (field === 'displayname' || field === 'avatar_url')) content[field] = value
  }
  return content
}

function isSameContent(a: JsonObject, b: JsonObject): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => JSON.stringify(a[key]) === JSON.stringify(b[key]))
}
