// SPDX-License-Identifier: Apache-2.0
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { member, objectMember } from '@myelin/matrix/json'
import { accountDataOf, accountDataOfType } from '@myelin/storage/accounts/account-data'
import { cachedReader } from '@myelin/storage/engine/cached-reader'
import type { Read } from '@myelin/storage/engine/database'
import { cachedRoom } from '@myelin/storage/rooms/cached-room'
import { pdusByNid } from '@myelin/storage/rooms/events/events'
import type { Membership } from '@myelin/storage/rooms/members/members'
import { otherState } from '@myelin/storage/rooms/state/other-state'
import type { RoomTraits } from './room-traits.ts'
import type { RoomFilters } from './sliding-request.ts'

/** Returns a user's direct chats, by `m.direct`. */
export const directRooms: (db: Read, user: UserId) => Promise<ReadonlySet<string>> = cachedReader(
  'directRooms',
  10_000,
  (user: UserId) => user,
  async (db, user: UserId) => {
    const stored = (await accountDataOf(db, user, '', 'm.direct')) ?? {}
    const rooms = Object.values(stored).flatMap((list) => (Array.isArray(list) ? (list as readonly unknown[]) : []))
    return new Set(rooms.filter((room) => typeof room === 'string'))
  },
)

const tagsOfRooms: (db: Read, user: UserId) => Promise<ReadonlyMap<string, ReadonlySet<string>>> = cachedReader(
  'roomTags',
  10_000,
  (user: UserId) => user,
  async (db, user: UserId) => {
    const entries = await accountDataOfType(db, user, 'm.tag')
    return new Map(
      entries.map(({ roomId, content }) => [roomId, new Set(Object.keys(objectMember(content, 'tags') ?? {}))]),
    )
  },
)

type Test = (membership: Membership) => boolean
type TraitTest = (traits: RoomTraits) => boolean

/**
 * Returns the rooms among the user's that filters match, in their order.
 *
 * @param traitsOf returns the traits of all of them
 */
export async function matchingRooms(
  db: Read,
  user: UserId,
  filters: RoomFilters,
  rooms: ReadonlyMap<RoomId, Membership>,
  traitsOf: () => Promise<ReadonlyMap<RoomId, RoomTraits | undefined>>,
): Promise<RoomId[]> {
  const tests = await cheapTests(db, user, filters, rooms)
  const traitTests = testsOfTraits(filters)
  const traits = traitTests.length > 0 ? await traitsOf() : undefined
  const matches = (membership: Membership) => {
    if (!tests.every((test) => test(membership))) return false
    const found = traits?.get(membership.roomId)
    return traits === undefined || (found !== undefined && traitTests.every((test) => test(found)))
  }
  const matching: RoomId[] = []
  for (const membership of rooms.values()) if (matches(membership)) matching.push(membership.roomId)
  return matching
}

async function cheapTests(
  db: Read,
  user: UserId,
  { isDm, isInvited, tags, notTags, spaces }: RoomFilters,
  memberships: ReadonlyMap<RoomId, Membership>,
): Promise<Test[]> {
  const tests: Test[] = []
  if (isInvited !== undefined) tests.push(({ membership }) => (membership === 'invite') === isInvited)
  if (isDm !== undefined) {
    const direct = await directRooms(db, user)
    tests.push(({ roomId }) => direct.has(roomId) === isDm)
  }
  if (tags !== undefined || notTags !== undefined) {
    const tagged = await tagsOfRooms(db, user)
    const hasOneOf = (roomId: RoomId, names: readonly string[]) =>
      names.some((name) => tagged.get(roomId)?.has(name) ?? false)
    if (tags !== undefined) tests.push(({ roomId }) => hasOneOf(roomId, tags))
    if (notTags !== undefined) tests.push(({ roomId }) => !hasOneOf(roomId, notTags))
  }
  if (spaces !== undefined) {
    const wanted = new Set<string>(spaces)
    const joined = [...memberships.values()].filter(
      ({ roomId, membership }) => membership === 'join' && wanted.has(roomId),
    )
    const children = await childrenOf(
      db,
      joined.map(({ roomId }) => roomId),
    )
    tests.push(({ roomId }) => children.has(roomId))
  }
  return tests
}

function testsOfTraits({ isEncrypted, roomTypes, notRoomTypes, roomNameLike }: RoomFilters): TraitTest[] {
  const tests: TraitTest[] = []
  if (isEncrypted !== undefined) tests.push((traits) => traits.isEncrypted === isEncrypted)
  if (roomTypes !== undefined) tests.push(({ roomType }) => roomTypes.includes(roomType))
  if (notRoomTypes !== undefined) tests.push(({ roomType }) => !notRoomTypes.includes(roomType))
  const wanted = roomNameLike?.toLowerCase()
  if (wanted !== undefined) tests.push(({ name }) => name?.toLowerCase().includes(wanted) ?? false)
  return tests
}

/** Returns the children of spaces: the rooms of `m.space.child` events with a `via`. */
async function childrenOf(db: Read, spaces: readonly RoomId[]): Promise<Set<string>> {
  const children = new Set<string>()
  for (const space of spaces) {
    const root = (await cachedRoom(db, space))?.stateRoot ?? 0
    const events = (await otherState(db, space, root)).get('m.space.child') ?? new Map<string, number>()
    const pdus = await pdusByNid(db, [...events.values()])
    for (const [child, nid] of events) {
      const via = member(pdus.get(nid)?.content ?? {}, 'via')
      if (Array.isArray(via) && via.length > 0) children.add(child)
    }
  }
  return children
}
