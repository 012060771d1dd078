// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { createRoom } from '@myelin/services/rooms/create-room'
import { extendRoom } from '@myelin/services/rooms/append/extend-room'
import { isNeed } from '@myelin/services/rooms/resolution/unit-needs'
import { writeEvents } from '@myelin/services/rooms/append/write-events'
import { openRoom } from '@myelin/storage/rooms/rooms'
import type { TestRuntime } from './runtime.ts'

/**
 * Writes the history of a room, also in the name of users of other servers. Events obey the rules and are signed by the
 * test server.
 */
export interface RoomAuthor {
  readonly roomId: RoomId
  readonly send: (sender: string, type: string, content: JsonObject, stateKey?: string) => Promise<EventId>
  readonly member: (sender: string, target: string, membership: string) => Promise<EventId>
  readonly say: (sender: string, body: string) => Promise<EventId>
}

/** Creates a room of `creator`. */
export async function authorRoom(
  rt: TestRuntime,
  creator: string,
  body: Partial<Parameters<typeof createRoom>[2]> = {},
): Promise<RoomAuthor> {
  const roomId = await createRoom(rt, creator as UserId, {
    visibility: 'private',
    invite: [],
    isDirect: false,
    initialState: [],
    creationContent: {},
    ...body,
  })
  return authorOf(rt, roomId)
}

/** Returns an author for an existing room. */
export function authorOf(rt: TestRuntime, roomId: RoomId): RoomAuthor {
  const send: RoomAuthor['send'] = async (sender, type, content, stateKey) => {
    rt.clock.advance(1000)
    const redacts = type === 'm.room.redaction' ? (stringMember(content, 'redacts') as EventId | undefined) : undefined
    const draft = { roomId, sender: sender as UserId, type, content, ...(redacts === undefined ? {} : { redacts }) }
    return writeEvents(rt, async (tx, maker) => {
      const room = await openRoom(tx, roomId)
      if (!room) throw new Error('no such room')
      const extended = await extendRoom(tx, maker, room, stateKey === undefined ? draft : { ...draft, stateKey })
      return isNeed(extended) ? extended : extended.event.id
    })
  }
  return {
    roomId,
    send,
    member: (sender, target, membership) => send(sender, 'm.room.member', { membership }, target),
    say: (sender, body) => send(sender, 'm.room.message', { msgtype: 'm.text', body }),
  }
}
