// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'
import { redactPdu } from '@myelin/rules/redaction'
import type { RoomVersion } from '@myelin/rules/room-versions'
import type { Read } from '@myelin/storage/database'
import { eventsByNid } from '@myelin/storage/events'
import { stateEventNid } from '@myelin/storage/rooms'

/** The content of one state event as it may be shown: what was redacted is not there. */
export async function shownContent(
  db: Read,
  room: { readonly stateRoot: number; readonly version: RoomVersion },
  type: string,
  key = '',
): Promise<JsonObject | undefined> {
  const nid = await stateEventNid(db, room.stateRoot, type, key)
  const event = nid === undefined ? undefined : (await eventsByNid(db, [nid])).get(nid)
  if (!event) return undefined
  return event.redactedBy === null ? event.pdu.content : redactPdu(event.pdu, room.version).content
}
