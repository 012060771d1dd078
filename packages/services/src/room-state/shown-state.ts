// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'
import { redactPdu } from '@myelin/rules/redaction'
import type { RoomVersion } from '@myelin/rules/room-versions'
import type { Read } from '@myelin/storage/engine/database'
import { eventsByNid } from '@myelin/storage/rooms/events/events'
import { stateEventNid } from '@myelin/storage/rooms/rooms'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'

/** A room's state, and the version by which redacted events are pruned. */
export interface ShownState {
  readonly stateRoot: number
  readonly version: RoomVersion
}

/** Returns the content of one state event, pruned where it was redacted. */
export async function shownContent(db: Read, room: ShownState, type: string): Promise<JsonObject | undefined> {
  return (await shownContents(db, room, [type])).get(type)
}

/** Returns the contents of several state events with the empty state key, by type. */
export async function shownContents<Type extends string>(
  db: Read,
  room: ShownState,
  types: readonly Type[],
): Promise<Map<Type, JsonObject>> {
  const nids = new Map<Type, number>()
  for (const type of types) {
    const nid = await stateEventNid(db, room.stateRoot, type, '')
    if (nid !== undefined) nids.set(type, nid)
  }
  const events = await eventsByNid(db, [...nids.values()])
  const shown = new Map<Type, JsonObject>()
  for (const [type, nid] of nids) {
    const event = events.get(nid)
    if (event) shown.set(type, shownContentOf(event, room.version))
  }
  return shown
}

/** Returns an event's content, pruned where it was redacted. */
export function shownContentOf({ pdu, redactedBy }: StoredEvent, version: RoomVersion): JsonObject {
  return redactedBy === null ? pdu.content : redactPdu(pdu, version).content
}
