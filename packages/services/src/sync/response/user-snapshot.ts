// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import { MatrixError } from '@myelin/matrix/errors'
import type { JsonObject } from '@myelin/matrix/json'
import type { RoomId } from '@myelin/matrix/ids'
import { accountDataBetween } from '@myelin/storage/accounts/account-data'
import { eventsByNid } from '@myelin/storage/rooms/events/events'
import { cachedMemberships } from '@myelin/storage/rooms/members/members'
import type { Membership } from '@myelin/storage/rooms/members/members'
import { presenceAround } from '@myelin/storage/sync/presence'
import { rulesOf } from '../../account-data/push-rules.ts'
import { renderEvents } from '../../reading/render.ts'
import { roomSnapshot } from '../../reading/room-snapshot.ts'
import type { RoomSnapshot } from '../../reading/room-snapshot.ts'
import { printToken } from '../../room-state/page-token.ts'
import { isPartial } from '../../room-state/await-whole.ts'
import type { Checker } from '../../rooms/intake/check-incoming.ts'
import { presenceContent } from '../../runtime/presence/show-presence.ts'
import type { Requester, Runtime } from '../../runtime/runtime.ts'
import { ignoredUsers } from '../../standing/ignored-users.ts'
import { hiddenInvites } from '../sections/offered-rooms.ts'

type Needs = Checker & Pick<Runtime, 'db' | 'clock' | 'bus' | 'serverName' | 'config' | 'typing'>

const STANDINGS = ['invite', 'join', 'leave', 'ban'] as const

/** A room of a user: whole where the user is or was joined, the invite otherwise. */
type UsersRoom = Partial<Omit<RoomSnapshot, 'membership' | 'room_id'>> & {
  readonly room_id: RoomId
  readonly membership: (typeof STANDINGS)[number]
  readonly invite?: RawJson
}

/** The most users whose presence is shown. */
const MAX_PRESENCE = 1_000

/**
 * Returns the rooms of a user with their state and newest events, at most `limit` a room. With `isArchived` the rooms that the user
 * left are included. Rooms of which only a part of the members is known are left out until all are, as in `/sync`.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3initialsync
 */
export async function snapshotOfUser(
  rt: Needs,
  requester: Requester,
  { limit, isArchived }: { readonly limit: number; readonly isArchived: boolean },
) {
  const db = rt.db.read
  const { userId } = requester
  const end = { position: await rt.db.position(), typing: rt.typing.serial, toDevice: 0, begun: 0 }
  const rooms: UsersRoom[] = []
  const isHidden = await hiddenInvites(db, { user: userId, ignored: await ignoredUsers(db, userId) })
  for (const standing of await cachedMemberships(db, userId)) {
    const membership = STANDINGS.find((name) => name === standing.membership)
    if (membership === undefined || standing.isForgotten) continue
    if ((membership === 'leave' || membership === 'ban') && !isArchived) continue
    const room = { room_id: standing.roomId, membership }
    if (membership !== 'invite') rooms.push(...(await entered(rt, requester, room, limit)))
    else if (!(await isHidden(standing))) rooms.push(await offered(rt, requester, standing, room))
  }
  const own = (await accountDataBetween(db, userId, 0, end.position)).filter(({ roomId }) => roomId === '')
  return {
    end: printToken(end),
    presence: await presence(rt, requester),
    rooms,
    account_data: [
      { type: 'm.push_rules', content: { global: await rulesOf(db, userId, rt.config.push) } },
      ...own.map(({ type, content }) => ({ type, content })),
    ],
  }
}

async function entered(
  rt: Needs,
  requester: Requester,
  room: Pick<UsersRoom, 'room_id' | 'membership'>,
  limit: number,
): Promise<UsersRoom[]> {
  if (await isPartial(rt.db.read, room.room_id)) return []
  try {
    return [{ ...(await roomSnapshot(rt, requester, room.room_id, limit)), ...room }]
  } catch (cause) {
    // The user was never joined, or a member event came in between.
    if (cause instanceof MatrixError && cause.code === 'M_FORBIDDEN') return [room]
    throw cause
  }
}

async function offered(
  rt: Needs,
  requester: Requester,
  { eventNid }: Membership,
  room: Pick<UsersRoom, 'room_id' | 'membership'>,
): Promise<UsersRoom> {
  const db = rt.db.read
  const event = (await eventsByNid(db, [eventNid])).get(eventNid)
  const view = { requester, now: rt.clock.now(), format: { hasRoomId: true } }
  const [shown] = event ? await renderEvents(db, [event], view) : []
  return { ...room, ...(shown ? { invite: shown } : {}) }
}

async function presence(rt: Needs, { userId }: Requester): Promise<JsonObject[]> {
  if (!rt.config.presence.isEnabled) return []
  const now = rt.clock.now()
  const around = await presenceAround(rt.db.read, userId, MAX_PRESENCE)
  return around.map((each) => ({ type: 'm.presence', sender: each.userId, content: presenceContent(each, now) }))
}
