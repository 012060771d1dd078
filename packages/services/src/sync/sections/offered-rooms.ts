// SPDX-License-Identifier: Apache-2.0
import type { RoomSettings } from '@myelin/kit/settings/rooms'
import { isObject, member } from '@myelin/matrix/json'
import type { Json } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import { eventsByNid } from '@myelin/storage/rooms/events/events'
import type { Membership } from '@myelin/storage/rooms/members/members'
import { cachedRoom } from '@myelin/storage/rooms/cached-room'
import { strippedStateOf } from '../../room-state/stripped-state.ts'
import { inviteRulesOf } from '../../standing/invite-rules.ts'
import { hasChanged } from '../sync-request.ts'
import type { Slice } from '../sync-request.ts'
import type { SyncScope } from '../sync-scope.ts'
import { unlessEmpty } from './sync-section.ts'
import type { SyncSection } from './sync-section.ts'

/** `rooms.invite`: the rooms that the user was invited to, with their stripped state. */
export const invitedRoomsSection = offeredRooms('invite')
/** `rooms.knock`: the rooms that the user knocked on, with their stripped state. */
export const knockedRoomsSection = offeredRooms('knock')

function offeredRooms(kind: 'invite' | 'knock'): SyncSection {
  return {
    path: ['rooms', kind],
    unchanged: {},
    changes: async (scope) => unlessEmpty(await readOffered(scope, kind)),
  }
}

async function readOffered(
  { db, slice, tools }: SyncScope,
  kind: 'invite' | 'knock',
): Promise<Record<string, unknown>> {
  const rooms: Record<string, unknown> = {}
  const offered = slice.memberships.filter((each) => each.membership === kind && hasChanged(slice, each))
  if (offered.length === 0) return rooms
  const isHidden = await hiddenInvites(db, slice)
  for (const membership of offered) {
    if (kind === 'invite' && (await isHidden(membership))) continue
    rooms[membership.roomId] = {
      [`${kind}_state`]: { events: await shownState(db, slice, membership, tools.config.rooms) },
    }
  }
  return rooms
}

/**
 * Returns the stripped state stored with a membership, else that of the room. By a setting the user's member event has its ID and
 * timestamp, too: clients show them.
 */
export async function shownState(
  db: Read,
  { user }: Pick<Slice, 'user'>,
  { roomId, eventNid, strippedState }: Membership,
  { datesOffers }: Pick<RoomSettings, 'datesOffers'>,
): Promise<readonly Json[]> {
  const pdu = (await eventsByNid(db, [eventNid])).get(eventNid)?.pdu
  const kept = strippedState === null ? undefined : (JSON.parse(strippedState) as readonly Json[])
  if (!pdu) return kept ?? []
  const root = kept ? undefined : (await cachedRoom(db, roomId))?.stateRoot
  const events = kept ?? (root === undefined ? [] : await strippedStateOf(db, root, pdu))
  if (!datesOffers) return events
  const dated = { event_id: pdu.id, origin_server_ts: pdu.originServerTs }
  const isOwn = (event: Json) =>
    isObject(event) && member(event, 'type') === 'm.room.member' && member(event, 'state_key') === user
  return events.map((event) => (isObject(event) && isOwn(event) ? { ...event, ...dated } : event))
}

/** Returns the test of invites that a user does not want to see: those of ignored users, and by the user's rules. */
export async function hiddenInvites(
  db: Read,
  { user, ignored }: Pick<Slice, 'user' | 'ignored'>,
): Promise<(membership: Membership) => Promise<boolean>> {
  const rules = await inviteRulesOf(db, user)
  return async ({ eventNid }) => {
    const sender = (await eventsByNid(db, [eventNid])).get(eventNid)?.pdu.sender
    return sender !== undefined && (ignored.has(sender) || rules(sender) !== 'allow')
  }
}
