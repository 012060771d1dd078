// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import { serverOf } from '@myelin/matrix/ids'
import { member, objectMember, stringMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { AuthState } from '@myelin/rules/auth/auth-state'
import { stateKey } from '@myelin/rules/auth/state-key'
import { accountDataOf } from '@myelin/storage/account-data'
import type { Read, Tx } from '@myelin/storage/database'
import { membersOf, membershipIn, putStrippedState } from '@myelin/storage/members'
import { profileOf } from '@myelin/storage/profiles'
import { openRoom } from '@myelin/storage/rooms'
import type { OpenRoom } from '@myelin/storage/rooms'
import type { EventMaker } from './event-draft.ts'
import { extendRoom } from './extend-room.ts'
import { loadState } from './load-auth-state.ts'
import { strippedStateOf } from './stripped-state.ts'
import { roomVersionOf } from './versions.ts'

/** Who shall stand how in a room, and who says so. */
export interface MembershipChange {
  readonly roomId: RoomId
  readonly sender: UserId
  readonly target: UserId
  readonly membership: 'join' | 'invite' | 'leave' | 'ban' | 'knock'
  readonly reason?: string
  /** Further members of the content, such as `is_direct`. */
  readonly extra?: JsonObject
}

/**
 * Changes a membership inside a unit: the content with the target's profile, the rules, the event, and what an
 * invited user is shown of the room. A change that changes nothing answers the event that stands.
 */
export async function changeMembership(tx: Tx, rt: EventMaker, change: MembershipChange): Promise<EventId> {
  const room = await openRoom(tx, change.roomId)
  if (!room) throw new MatrixError('M_NOT_FOUND', 'this server does not know that room')
  const content = await contentFor(tx, rt, room, change)
  const current = await loadState(tx, room.stateRoot, [['m.room.member', change.target]])
  const standing = current.get(stateKey('m.room.member', change.target))
  if (standing && isSameContent(standing.content, content) && change.membership !== 'invite') return standing.id
  if (change.membership === 'invite') await refuseBlockedInvite(tx, change)
  const { roomId, sender, target } = change
  const { event } = await extendRoom(tx, rt, room, { roomId, sender, type: 'm.room.member', stateKey: target, content })
  if (change.membership === 'invite' || change.membership === 'knock') {
    const shown = await strippedStateOf(tx, room.stateRoot, event)
    await putStrippedState(tx, roomId, target, JSON.stringify(shown))
  }
  return event.id
}

/** Whether a user does not want to be invited. */
export async function blocksInvites(db: Read, user: UserId): Promise<boolean> {
  const stored = await accountDataOf(db, user, '', 'm.invite_permission_config')
  return stored !== undefined && stringMember(stored, 'default_action') === 'block'
}

async function refuseBlockedInvite(db: Read, { sender, target }: MembershipChange): Promise<void> {
  if (sender !== target && (await blocksInvites(db, target))) {
    throw new MatrixError('M_INVITE_BLOCKED', `${target} does not accept invites`)
  }
}

async function contentFor(tx: Tx, rt: EventMaker, room: OpenRoom, change: MembershipChange): Promise<JsonObject> {
  const content: Record<string, Json> = { ...change.extra, membership: change.membership }
  if (change.reason !== undefined) content['reason'] = change.reason
  const isOurs = serverOf(change.target) === rt.serverName
  if (isOurs && ['join', 'invite', 'knock'].includes(change.membership)) {
    for (const [field, value] of Object.entries(await profileOf(tx, change.target))) {
      if (!(field in content) && (field === 'displayname' || field === 'avatar_url')) content[field] = value
    }
  }
  const voucher = change.membership === 'join' ? await voucherFor(tx, room, change.target) : undefined
  if (voucher !== undefined) content['join_authorised_via_users_server'] = voucher
  return content
}

/**
 * The member who lets a user into a restricted room: one of ours with the power to invite, if the user is in a
 * room that the join rule names.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#restricted-rooms
 */
async function voucherFor(tx: Tx, room: OpenRoom, user: UserId): Promise<UserId | undefined> {
  const events = await loadState(tx, room.stateRoot, [
    ['m.room.join_rules', ''],
    ['m.room.power_levels', ''],
    ['m.room.create', ''],
    ['m.room.member', user],
  ])
  const state = new AuthState(roomVersionOf(room.roomVersion), events)
  if (!state.joinRule.endsWith('restricted') || !state.version.auth.joinRules.includes(state.joinRule)) return undefined
  if (['join', 'invite'].includes(state.membershipOf(user))) return undefined
  const rule = events.get(stateKey('m.room.join_rules'))
  if (!rule || !(await isInAllowedRoom(tx, rule.content, user))) {
    throw new MatrixError('M_FORBIDDEN', 'you are in none of the rooms that may join this one')
  }
  for (const { userId } of await membersOf(tx, room.id, ['join'])) {
    if (serverOf(userId) === serverOf(user) && state.powerOf(userId) >= state.levelFor('invite')) return userId
  }
  return undefined
}

async function isInAllowedRoom(db: Read, joinRules: JsonObject, user: UserId): Promise<boolean> {
  const allowed = member(joinRules, 'allow')
  for (const condition of Array.isArray(allowed) ? (allowed as readonly Json[]) : []) {
    const entry = objectMember({ condition }, 'condition')
    if (!entry || stringMember(entry, 'type') !== 'm.room_membership') continue
    const roomId = stringMember(entry, 'room_id')
    const standing = roomId === undefined ? undefined : await membershipIn(db, roomId as RoomId, user)
    if (standing?.membership === 'join') return true
  }
  return false
}

function isSameContent(a: JsonObject, b: JsonObject): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => JSON.stringify(a[key]) === JSON.stringify(b[key]))
}
