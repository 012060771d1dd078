// SPDX-License-Identifier: Apache-2.0
import { mapInTurns } from '@myelin/kit/turn'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import { deviceChangesBetween } from '@myelin/storage/keys/device-lists'
import { pdusByNid, stateRootAt } from '@myelin/storage/rooms/events/events'
import { membersOf, membershipPositions } from '@myelin/storage/rooms/members/members'
import type { Membership } from '@myelin/storage/rooms/members/members'
import { trackedUsers } from '@myelin/storage/rooms/members/tracked-users'
import { keyNames } from '@myelin/storage/engine/names'
import { cachedRoom } from '@myelin/storage/rooms/cached-room'
import { stateDifference } from '@myelin/storage/rooms/state/state'
import { wasJoined } from './was-joined.ts'

/** The users whose device lists a client must fetch again, and those it needs no longer. */
export interface DeviceLists {
  readonly changed: readonly UserId[]
  readonly left: readonly UserId[]
}

/** A stretch of the log, as one user sees it. */
export interface DeviceListQuestion {
  readonly user: UserId
  readonly after: number
  readonly upTo: number
  readonly memberships: readonly Membership[]
  /** The joined rooms with changes; undefined means all of them. */
  readonly moved?: ReadonlySet<string> | undefined
}

// The estimated cost of looking at a user.
const USER_COST_US = 1
// Invited users count: clients encrypt for them, too.
const READERS = ['join', 'invite']

type Stretch = Pick<DeviceListQuestion, 'user' | 'after' | 'upTo'>
type Changes = { readonly added: Set<UserId>; readonly removed: Set<UserId> }

/**
 * Returns the users whose devices or keys changed or who newly share a room with the user, and those who share none any
 * more. Users invited to a room of the user share it. A user who left and joined again counts as new: changes in between
 * were not reported.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#tracking-the-device-list-for-a-user
 */
export async function deviceListChanges(db: Read, question: DeviceListQuestion): Promise<DeviceLists> {
  const { added, removed } = await memberChangesOfRooms(db, question)
  const { user, after, upTo } = question
  // A change wakes those who share a room. Those who come to share one later get it by the change of membership.
  const moved = db.topicPositions.changedSince(user, after) ? await deviceChangesBetween(db, user, after, upTo) : []
  if (added.size === 0 && removed.size === 0 && moved.length === 0) return { changed: [], left: [] }
  const tracked = await trackedUsers(db, question.user)
  for (const each of moved) added.add(each)
  const [changed, left]: [UserId[], UserId[]] = [[], []]
  await mapInTurns(added, USER_COST_US, (each) => tracked.has(each) && changed.push(each))
  await mapInTurns(removed, USER_COST_US, (each) => tracked.has(each) || left.push(each))
  return { changed, left }
}

async function memberChangesOfRooms(db: Read, question: DeviceListQuestion): Promise<Changes> {
  const { user, after, upTo, memberships, moved } = question
  const changes: Changes = { added: new Set(), removed: new Set() }
  for (const standing of memberships) {
    const { roomId, membership, position } = standing
    const isChanged = position > after && position <= upTo
    if (membership === 'join' && !isChanged && moved && !moved.has(roomId)) continue
    if (membership !== 'join' && !isChanged) continue
    if (!isChanged || (await wasJoined(db, roomId, user, after)))
      await addMemberChanges(db, standing, question, changes)
    if (membership !== 'join' || !(isChanged || (await becameWholeBetween(db, roomId, after, upTo)))) continue
    await mapInTurns(await membersOf(db, roomId, READERS), USER_COST_US, ({ userId }) => changes.added.add(userId))
  }
  changes.added.delete(user)
  return changes
}

/** Adds the members who joined or left a room to which the user was joined at the start of the stretch. */
async function addMemberChanges(
  db: Read,
  { roomId, membership, position }: Membership,
  stretch: Stretch,
  { added, removed }: Changes,
): Promise<void> {
  const changes = await memberChanges(db, roomId, stretch)
  if (membership === 'join') {
    for (const { userId, isIn, isNew } of changes) {
      if (isNew) added.add(userId)
      if (!isIn) removed.add(userId)
    }
    return
  }
  // The user left: this concerns all who were there at the start or joined before the user left.
  for (const { userId, wasIn } of changes) if (wasIn) removed.add(userId)
  for (const member of await membersOf(db, roomId, READERS)) if (member.position <= position) removed.add(member.userId)
}

/** Returns whether a room's members became known between two positions: until then they could not be reported. */
async function becameWholeBetween(db: Read, roomId: RoomId, after: number, upTo: number): Promise<boolean> {
  const wholePosition = (await cachedRoom(db, roomId))?.wholePosition ?? 0
  return wholePosition > after && wholePosition <= upTo
}

type MemberChange = {
  readonly userId: UserId
  readonly wasIn: boolean
  readonly isIn: boolean
  /** Joined or invited in the stretch; a change of the profile alone is neither. */
  readonly isNew: boolean
}

/** Returns how members of a room stand at both ends of a stretch, if they were joined or invited at one of them. */
async function memberChanges(db: Read, roomId: RoomId, { after, upTo }: Stretch): Promise<MemberChange[]> {
  const [before, now] = [await stateRootAt(db, roomId, after), await stateRootAt(db, roomId, upTo)]
  const differences = await stateDifference(db, before, now)
  const names = await keyNames(
    db,
    differences.map(({ key }) => key),
  )
  const members = differences.filter(({ key }) => names.get(key)?.type === 'm.room.member')
  const events = await pdusByNid(
    db,
    members.flatMap(({ before: a, after: b }) => [a ?? [], b ?? []].flat()),
  )
  const isReader = (nid: number | undefined) => {
    const content = nid === undefined ? undefined : events.get(nid)?.content
    return content !== undefined && READERS.includes(stringMember(content, 'membership') ?? '')
  }
  const changes = members
    .map(({ key, before: a, after: b }) => ({
      userId: names.get(key)?.stateKey as UserId,
      wasIn: isReader(a),
      isIn: isReader(b),
    }))
    .filter(({ wasIn, isIn }) => wasIn || isIn)
  // The ends do not show whether a member was away in between; the position of the membership does.
  const staying = changes.filter(({ wasIn, isIn }) => wasIn && isIn).map(({ userId }) => userId)
  const positions = await membershipPositions(db, roomId, staying)
  return changes.map((change) => ({
    ...change,
    isNew: change.isIn && (!change.wasIn || (positions.get(change.userId) ?? 0) > after),
  }))
}
