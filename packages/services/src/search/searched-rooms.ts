// SPDX-License-Identifier: Apache-2.0
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { objectMember, stringMember } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import { keyNid, roomNid } from '@myelin/storage/engine/names'
import { cachedRoom } from '@myelin/storage/rooms/cached-room'
import { stateRootAt } from '@myelin/storage/rooms/events/events'
import { cachedMemberships } from '@myelin/storage/rooms/members/members'
import type { Membership } from '@myelin/storage/rooms/members/members'
import { stateAt } from '@myelin/storage/rooms/state/state'
import { passesRoom } from '../room-state/event-filter.ts'
import type { EventFilter } from '../room-state/event-filter.ts'
import { loadStateEvent } from '../room-state/load-auth-state.ts'
import { endOfJoin } from '../reading/room-access.ts'

/** The part of a room in which a user may search. */
export interface SearchedRoom {
  /** The last position; infinite for members. */
  readonly upTo: number
  /** The root of the state that the user may read. */
  readonly stateRoot: number
}

/** The most predecessors of rooms that are looked up for one search. */
const MAX_PREDECESSORS = 200

/** The rooms in which a user may search: those they are in, and those they were in, up to when they left. */
export class SearchedRooms {
  readonly #db: Read
  readonly #user: UserId
  readonly #memberships = new Map<RoomId, Membership>()
  readonly #rooms = new Map<RoomId, Promise<SearchedRoom | undefined>>()
  #encryptionKey: Promise<number | undefined> | undefined

  constructor(db: Read, user: UserId, memberships: readonly Membership[]) {
    this.#db = db
    this.#user = user
    for (const membership of memberships)
      if (mayBeSearched(membership)) this.#memberships.set(membership.roomId, membership)
  }

  /** Reads the memberships of a user. */
  static async of(db: Read, user: UserId): Promise<SearchedRooms> {
    return new SearchedRooms(db, user, await cachedMemberships(db, user))
  }

  /**
   * Returns the numbers of the rooms that a filter names, or of all. Where it names rooms, the rooms that were upgraded to them are
   * searched as well.
   */
  async numbers(filter: Pick<EventFilter, 'rooms' | 'notRooms'>): Promise<Set<number>> {
    const named = [...this.#memberships.keys()].filter((roomId) => passesRoom(roomId, filter))
    const all = filter.rooms === undefined ? named : [...named, ...(await this.#predecessors(named, filter.notRooms))]
    const nids = new Set<number>()
    for (const roomId of all) {
      const nid = this.#memberships.has(roomId) ? await roomNid(this.#db, roomId) : undefined
      if (nid !== undefined) nids.add(nid)
    }
    return nids
  }

  /** Returns the part of a room in which the user may search; undefined for none, as in encrypted rooms. */
  async room(roomId: RoomId): Promise<SearchedRoom | undefined> {
    let room = this.#rooms.get(roomId)
    if (!room) this.#rooms.set(roomId, (room = this.#read(roomId)))
    return room
  }

  async #read(roomId: RoomId): Promise<SearchedRoom | undefined> {
    const membership = this.#memberships.get(roomId)
    const room = membership && (await this.#partOf(membership))
    if (!room) return undefined
    const key = await (this.#encryptionKey ??= keyNid(this.#db, 'm.room.encryption', ''))
    const isEncrypted = key !== undefined && (await stateAt(this.#db, room.stateRoot, key)) !== undefined
    return isEncrypted ? undefined : room
  }

  async #partOf({ roomId, membership, position }: Membership): Promise<SearchedRoom | undefined> {
    if (membership === 'join') {
      const room = await cachedRoom(this.#db, roomId)
      return room && { upTo: Infinity, stateRoot: room.stateRoot }
    }
    const end = await endOfJoin(this.#db, roomId, this.#user, position)
    return end === undefined ? undefined : { upTo: end, stateRoot: await stateRootAt(this.#db, roomId, end) }
  }

  async #predecessors(rooms: readonly RoomId[], without: readonly string[]): Promise<RoomId[]> {
    const found = new Set<RoomId>(rooms)
    for (const roomId of found) {
      if (found.size - rooms.length >= MAX_PREDECESSORS) break
      const predecessor = await this.#predecessorOf(roomId)
      if (predecessor !== undefined && !without.includes(predecessor)) found.add(predecessor)
    }
    return [...found].slice(rooms.length)
  }

  async #predecessorOf(roomId: RoomId): Promise<RoomId | undefined> {
    const room = await cachedRoom(this.#db, roomId)
    const create = room && (await loadStateEvent(this.#db, room.stateRoot, 'm.room.create'))
    const predecessor = create && objectMember(create.content, 'predecessor')
    return predecessor && (stringMember(predecessor, 'room_id') as RoomId | undefined)
  }
}

function mayBeSearched({ membership, isForgotten }: Membership): boolean {
  return membership === 'join' || (!isForgotten && (membership === 'leave' || membership === 'ban'))
}
