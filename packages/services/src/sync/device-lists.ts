// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import { deviceChangesBetween } from '@myelin/storage/keys/device-lists'
import { eventsByNid, stateRootAt } from '@myelin/storage/rooms/events/events'
import { membersOf, usersSharingRooms } from '@myelin/storage/rooms/members/members'
import type { Membership } from '@myelin/storage/rooms/members/members'
import { keyNames } from '@myelin/storage/engine/names'
import { cachedRoom } from '@myelin/storage/rooms/cached-room'
import { stateDifference } from '@myelin/storage/rooms/state/state'

/** Whose devices a user must look at again, and whose no longer. */
export interface DeviceLists {
  readonly changed: readonly UserId[]
  readonly left: readonly UserId[]
}

/** Between which positions, for whom, with the rooms they stand in. */
export interface DeviceListQuestion {
  readonly user: UserId
  readonly after: number
  readonly upTo: number
  readonly memberships: readonly Membership[]
  /** The joined rooms in which something happened; all of them where absent. */
  readonly moved?: ReadonlySet<string> | undefined
}

/**
 * The users whose devices or keys changed or who newly share a room, and those who share none any more.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#tracking-the-device-list-for-a-user
 */
export async function deviceListChanges(db: Read, question: DeviceListQuestion): Promise<DeviceLists> {
  const { came, went } = await comingsAndGoings(db, question)
  const { user, after, upTo } = question
  // A change wakes everybody who shares a room with whom it is about; who comes to share one later is told by that.
  const moved = db.topicPositions.changedSince(user, after) ? await deviceChangesBetween(db, user, after, upTo) : []
  if (came.size === 0 && went.size === 0 && moved.length === 0) return { changed: [], left: [] }
  const sharing = await usersSharingRooms(db, question.user)
  const changed = new Set([...moved, ...came].filter((user) => sharing.has(user)))
  return { changed: [...changed], left: [...went].filter((user) => !sharing.has(user)) }
}

async function comingsAndGoings(
  db: Read,
  { user, after, upTo, memberships, moved }: DeviceListQuestion,
): Promise<{ came: Set<UserId>; went: Set<UserId> }> {
  const came = new Set<UserId>()
  const went = new Set<UserId>()
  for (const { roomId, membership, position } of memberships) {
    if (membership !== 'join' && (position <= after || position > upTo)) continue
    const isOld = membership === 'join' && position <= after
    if (isOld && moved && !moved.has(roomId)) continue
    if (isOld && !(await becameWholeBetween(db, roomId, after, upTo))) {
      for (const [other, isIn] of await memberChanges(db, roomId, { after, upTo })) (isIn ? came : went).add(other)
      continue
    }
    const here = await membersOf(db, roomId, ['join'])
    for (const { userId } of here) if (userId !== user) (membership === 'join' ? came : went).add(userId)
  }
  return { came, went }
}

/** Whether a room's members became known between two positions: until then nobody could be told of them. */
async function becameWholeBetween(
  db: Read,
  roomId: Membership['roomId'],
  after: number,
  upTo: number,
): Promise<boolean> {
  const wholePosition = (await cachedRoom(db, roomId))?.wholePosition ?? 0
  return wholePosition > after && wholePosition <= upTo
}

async function memberChanges(
  db: Read,
  roomId: Membership['roomId'],
  { after, upTo }: { after: number; upTo: number },
): Promise<Map<UserId, boolean>> {
  const [before, now] = [await stateRootAt(db, roomId, after), await stateRootAt(db, roomId, upTo)]
  const changes = new Map<UserId, boolean>()
  if (before === now) return changes
  const differences = await stateDifference(db, before, now)
  const names = await keyNames(
    db,
    differences.map(({ key }) => key),
  )
  const events = await eventsByNid(
    db,
    differences.flatMap(({ before: a, after: b }) => [a ?? [], b ?? []].flat()),
  )
  const isJoin = (nid: number | undefined) => {
    const content = nid === undefined ? undefined : events.get(nid)?.pdu.content
    return content !== undefined && stringMember(content, 'membership') === 'join'
  }
  for (const { key, before: a, after: b } of differences) {
    const name = names.get(key)
    if (name?.type !== 'm.room.member' || isJoin(a) === isJoin(b)) continue
    changes.set(name.stateKey as UserId, isJoin(b))
  }
  return changes
}
