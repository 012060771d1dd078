// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { AuthState } from '@myelin/rules/auth/auth-state'
import { authorize } from '@myelin/rules/auth/rules/authorize'
import { buildPdu } from '@myelin/rules/events/build-pdu'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { appendEvent } from '@myelin/storage/rooms/append/append-event'
import type { Tx } from '@myelin/storage/engine/database'
import { createRoomRow, roomById } from '@myelin/storage/rooms/rooms'
import type { EventMaker } from './event-draft.ts'
import { refusalOf } from './refusal.ts'

/** A room to create: its creator, version, and the content of its create event beside the creator and the version. */
export interface NewRoom {
  readonly version: RoomVersion
  readonly creator: UserId
  readonly content: JsonObject
  /** The room ID, where the version lets the server choose it; drawn at random where it is missing. */
  readonly roomId?: RoomId
}

/** Creates a room with its create event and returns its ID; throws `M_BAD_JSON` for a content that the rules refuse. */
export async function putCreateEvent(tx: Tx, rt: EventMaker, wanted: NewRoom): Promise<RoomId> {
  const { version, creator } = wanted
  const content: Record<string, Json> = { ...wanted.content, room_version: version.id }
  delete content['creator']
  if (!version.auth.creatorIsSender) content['creator'] = creator
  const event = await newCreateEvent(tx, rt, { ...wanted, content })
  const verdict = authorize(event, new AuthState(version, new Map()))
  if (!verdict.allowed) {
    const { message } = refusalOf(verdict.rule, { draft: event, state: new AuthState(version, new Map()) })
    throw new MatrixError('M_BAD_JSON', `creation_content: ${message}`)
  }
  const room = await createRoomRow(tx, event.roomId, version.id)
  await appendEvent(tx, room, event, { notifies: 'no' })
  return event.roomId
}

/** Returns a random room ID, for room versions that let the server choose it. */
export function newRoomId(rt: Pick<EventMaker, 'random' | 'serverName'>): RoomId {
  return `!${rt.random.token(18)}:${rt.serverName}` as RoomId
}

/**
 * Returns the create event of a new room. Where the room ID is the event's hash, an equal request in the same
 * millisecond would give the same room, so the second event gets a timestamp one millisecond later.
 */
async function newCreateEvent(tx: Tx, rt: EventMaker, { version, creator, content, roomId }: NewRoom): Promise<Pdu> {
  const choosesRoomId = version.roomIds === 'chosen by server'
  for (let originServerTs = rt.clock.now(); ; originServerTs++) {
    const event = buildPdu(
      {
        ...(choosesRoomId ? { roomId: roomId ?? newRoomId(rt) } : {}),
        sender: creator,
        type: 'm.room.create',
        stateKey: '',
        content,
        prevEvents: [],
        authEvents: [],
        depth: 1,
        originServerTs,
      },
      version,
      { serverName: rt.serverName, key: rt.signingKey },
      () => `$${rt.random.token(18)}:${rt.serverName}`,
    )
    if (!(await roomById(tx, event.roomId))) return event
    if (choosesRoomId && roomId !== undefined) throw new Error('the room exists already')
  }
}
