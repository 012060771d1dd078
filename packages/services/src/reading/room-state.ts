// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { redactPdu } from '@myelin/rules/redaction'
import { eventsByNid } from '@myelin/storage/rooms/events/events'
import { stateEventNid } from '@myelin/storage/rooms/rooms'
import { isPartial, requireFullState } from '../room-state/await-whole.ts'
import { roomVersionOf } from '../room-state/versions.ts'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { stateEvents } from './context.ts'
import { renderEvents } from './render.ts'
import { roomAccess } from './room-access.ts'

type Needs = Pick<Runtime, 'db' | 'clock'>

/** Returns a room's state, present or as of the requester's leave. Waits until the members are known. */
export async function readState(
  rt: Needs & Pick<Runtime, 'bus' | 'serverName'>,
  requester: Requester,
  roomId: RoomId,
): Promise<RawJson[]> {
  await roomAccess(rt.db.read, requester.userId, roomId)
  await requireFullState(rt, roomId)
  const { stateRoot } = await roomAccess(rt.db.read, requester.userId, roomId)
  const events = await stateEvents(rt.db.read, stateRoot)
  return renderEvents(rt.db.read, events, { requester, now: rt.clock.now(), format: { hasRoomId: true } })
}

/** Returns a state event or its content; throws `M_NOT_FOUND` if there is none. Waits for a member not known yet. */
export async function readStateEvent(
  rt: Needs & Pick<Runtime, 'bus' | 'serverName'>,
  requester: Requester,
  request: {
    readonly roomId: RoomId
    readonly type: string
    readonly stateKey: string
    readonly isWholeEvent: boolean
  },
): Promise<JsonObject | RawJson> {
  const db = rt.db.read
  let access = await roomAccess(db, requester.userId, request.roomId)
  let nid = await stateEventNid(db, access.stateRoot, request.type, request.stateKey)
  if (nid === undefined && request.type === 'm.room.member' && (await isPartial(db, request.roomId))) {
    await requireFullState(rt, request.roomId)
    access = await roomAccess(db, requester.userId, request.roomId)
    nid = await stateEventNid(db, access.stateRoot, request.type, request.stateKey)
  }
  const event = nid === undefined ? undefined : (await eventsByNid(db, [nid])).get(nid)
  if (!event) throw new MatrixError('M_NOT_FOUND', 'no such state event')
  const [rendered] = request.isWholeEvent
    ? await renderEvents(db, [event], { requester, now: rt.clock.now(), format: { hasRoomId: true } })
    : []
  if (rendered) return rendered
  return event.redactedBy === null ? event.pdu.content : redactPdu(event.pdu, roomVersionOf(access.roomVersion)).content
}
