// SPDX-License-Identifier: Apache-2.0
import { nextTurn } from '@myelin/kit/next-turn'
import type { RawJson } from '@myelin/kit/raw-json'
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId } from '@myelin/matrix/ids'
import { member, stringMember } from '@myelin/matrix/json'
import type { Json } from '@myelin/matrix/json'
import { eventsByNid, passingPdus, pdusByNid, stateRootAt } from '@myelin/storage/rooms/events/events'
import { membersOf, membershipIn, membershipsOf } from '@myelin/storage/rooms/members/members'
import { namedState } from '@myelin/storage/rooms/rooms'
import { requireFullState } from '../room-state/await-whole.ts'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { parseToken } from '../room-state/page-token.ts'
import { renderEvents } from './render.ts'
import { roomAccess } from './room-access.ts'

type Needs = Pick<Runtime, 'db' | 'clock'>
type Waits = Needs & Pick<Runtime, 'bus' | 'serverName'>

/** The members to return: at a token, with or without a membership. A member that passes one of both passes. */
export interface MembersRequest {
  readonly roomId: RoomId
  readonly at: string | undefined
  readonly membership: string | undefined
  readonly notMembership: string | undefined
}

/**
 * Returns the member events of a room, now or at a token. Waits until they are known.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidmembers
 */
export async function membersAt(rt: Waits, requester: Requester, request: MembersRequest): Promise<RawJson[]> {
  const db = rt.db.read
  await roomAccess(db, requester.userId, request.roomId)
  await requireFullState(rt, request.roomId)
  const access = await roomAccess(db, requester.userId, request.roomId)
  const at = request.at === undefined ? undefined : Math.min(parseToken(request.at).position, access.upTo)
  const root = at === undefined ? access.stateRoot : await stateRootAt(db, request.roomId, at)
  const entries = (await namedState(db, root)).filter(({ type }) => type === 'm.room.member')
  const events = [
    ...(
      await eventsByNid(
        db,
        entries.map(({ event }) => event),
      )
    ).values(),
  ]
  const wanted = events.filter(({ pdu }) => isWanted(stringMember(pdu.content, 'membership'), request))
  return renderEvents(db, wanted, { requester, now: rt.clock.now(), format: { hasRoomId: true } })
}

function isWanted(standing: string | undefined, { membership, notMembership }: MembersRequest): boolean {
  if (membership === undefined && notMembership === undefined) return true
  return standing === membership || (notMembership !== undefined && standing !== notMembership)
}

/** Members read at once; other work gets its turn in between. */
const MANY = 2_000
const SLICE = 500

/** Returns the joined members of a room with their profiles; only for members. Waits until they are known. */
export async function joinedMembers(rt: Waits, requester: Requester, roomId: RoomId): Promise<Record<string, Json>> {
  const db = rt.db.read
  const standing = await membershipIn(db, roomId, requester.userId)
  if (standing?.membership !== 'join') throw new MatrixError('M_FORBIDDEN', 'you are not in this room')
  await requireFullState(rt, roomId)
  const members = await membersOf(db, roomId, ['join'])
  const joined: Record<string, Json> = Object.create(null)
  // All member events of a large room would take too much memory.
  const read = members.length > MANY ? passingPdus : pdusByNid
  for (let start = 0; start < members.length; start += SLICE) {
    const slice = members.slice(start, start + SLICE)
    const pdus = await read(
      db,
      slice.map(({ eventNid }) => eventNid),
    )
    for (const { userId, eventNid } of slice) {
      const content = pdus.get(eventNid)?.content ?? {}
      joined[userId] = {
        display_name: member(content, 'displayname') ?? null,
        avatar_url: member(content, 'avatar_url') ?? null,
      }
    }
    if (members.length > MANY) await nextTurn()
  }
  return joined
}

/** Returns the rooms that the requester is joined to. */
export async function joinedRooms(rt: Needs, requester: Requester): Promise<RoomId[]> {
  const all = await membershipsOf(rt.db.read, requester.userId)
  return all.filter(({ membership }) => membership === 'join').map(({ roomId }) => roomId)
}
