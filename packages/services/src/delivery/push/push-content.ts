// SPDX-License-Identifier: Apache-2.0
import { member, stringMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { redactPdu } from '@myelin/rules/redaction'
import type { Pusher } from '@myelin/storage/accounts/pushers'
import type { Read } from '@myelin/storage/engine/database'
import { cachedRoom } from '@myelin/storage/rooms/cached-room'
import { cachedEvents } from '@myelin/storage/rooms/events/cached-events'
import { loadStateEvent } from '../../room-state/load-auth-state.ts'
import { roomVersionOf } from '../../room-state/versions.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { PendingPush } from './pending-push.ts'

/** The member of a pusher's `data` with which a client asks for pushes without badge counts (MSC4076). */
const DISABLE_BADGE_COUNT = 'org.matrix.msc4076.disable_badge_count'

/** Returns whether a pusher gets no badge counts. */
export function isWithoutBadge({ data }: Pick<Pusher, 'data'>): boolean {
  return member(JSON.parse(data) as JsonObject, DISABLE_BADGE_COUNT) === true
}

/** Returns the URL of a pusher's gateway; undefined where it has none. */
export function gatewayOf({ data }: Pick<Pusher, 'data'>): URL | undefined {
  const url = stringMember(JSON.parse(data) as JsonObject, 'url')
  return url !== undefined && URL.canParse(url) ? new URL(url) : undefined
}

/** Returns a notification that carries only the number of unread rooms or messages. */
export function badgeNotification(pusher: Pusher, badge: number): JsonObject {
  return { counts: { unread: badge }, devices: [deviceOf(pusher)], prio: 'low' }
}

/**
 * Returns the notification of an event for a pusher, whole or with ids only by its `format`; undefined where the event is gone.
 *
 * @see https://spec.matrix.org/v1.19/push-gateway-api/#post_matrixpushv1notify
 */
export async function eventNotification(
  { db, config }: Pick<Runtime, 'db' | 'config'>,
  pusher: Pusher,
  push: PendingPush,
  badge: number | undefined,
): Promise<JsonObject | undefined> {
  const event = (await cachedEvents(db.read, [push.nid])).get(push.nid)
  if (!event) return undefined
  const { tweaks } = push
  const counts = badge === undefined ? {} : { counts: { unread: badge } }
  const isUrgent = event.pdu.type === 'm.room.encrypted' || member(tweaks, 'highlight') === true || 'sound' in tweaks
  const ids = { event_id: event.pdu.id, room_id: push.roomId, prio: isUrgent ? 'high' : 'low', ...counts }
  if (formatOf(pusher) === 'event_id_only') return { ...ids, devices: [deviceOf(pusher)] }
  const version = roomVersionOf((await cachedRoom(db.read, push.roomId))?.roomVersion ?? '1')
  const pdu = event.redactedBy === null ? event.pdu : redactPdu(event.pdu, version)
  const isTarget = pdu.type === 'm.room.member' && pdu.stateKey === pusher.userId
  const membership = pdu.type === 'm.room.member' ? stringMember(pdu.content, 'membership') : undefined
  return {
    ...ids,
    id: pdu.id,
    type: pdu.type,
    sender: pdu.sender,
    ...(pdu.type === 'm.room.member' ? { user_is_target: isTarget } : {}),
    ...(membership === undefined ? {} : { membership }),
    ...(config.push.includesContent ? { content: pdu.content } : {}),
    ...(await namesFor(db.read, push, pdu.sender)),
    devices: [{ ...deviceOf(pusher), tweaks }],
  }
}

/** Returns the display name of an event's sender and the name and alias of its room, as far as the room has them. */
async function namesFor(db: Read, { roomId }: PendingPush, sender: string): Promise<JsonObject> {
  const root = (await cachedRoom(db, roomId))?.stateRoot ?? 0
  if (root === 0) return {}
  const member = await loadStateEvent(db, root, 'm.room.member', sender)
  const name = await loadStateEvent(db, root, 'm.room.name')
  const alias = await loadStateEvent(db, root, 'm.room.canonical_alias')
  const names: Record<string, Json | undefined> = {
    sender_display_name: member && stringMember(member.content, 'displayname'),
    room_name: name && stringMember(name.content, 'name'),
    room_alias: alias && stringMember(alias.content, 'alias'),
  }
  return Object.fromEntries(Object.entries(names).filter(([, value]) => value !== undefined)) as JsonObject
}

function formatOf({ data }: Pusher): string | undefined {
  return stringMember(JSON.parse(data) as JsonObject, 'format')
}

/** Returns a pusher as a device of a notification: all of its data but the URL; the time is in seconds. */
function deviceOf({ appId, pushkey, setTs, data }: Pusher): JsonObject {
  const { url: _url, ...shown } = JSON.parse(data) as Record<string, Json>
  return { app_id: appId, pushkey, pushkey_ts: Math.floor(setTs / 1000), data: shown }
}
