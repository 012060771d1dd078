// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { eventsByNid } from '@myelin/storage/rooms/events/events'
import { membersOf } from '@myelin/storage/rooms/members/members'
import { openRoom, roomById } from '@myelin/storage/rooms/rooms'
import { stateOfType } from '@myelin/storage/rooms/state-of-type'
import type { Runtime } from '../../runtime/runtime.ts'
import type { EventMaker } from '../drafts/event-draft.ts'
import { extendRoom } from '../append/extend-room.ts'
import { loadStateEvent } from '../../room-state/load-auth-state.ts'
import type { PolicyServerNeeds } from '../append/policy-server.ts'
import { writeEvents } from '../append/write-events.ts'

type Needs = EventMaker & PolicyServerNeeds & Pick<Runtime, 'log'>

/** The most events that are copied. */
const MAX_FOLLOWING = 1000

/**
 * Copies the children of a space and the bans into a room's replacement, each as a unit of its own, because they may
 * be many. Events that the user may not send are skipped.
 */
export async function copyChildrenAndBans(
  rt: Needs,
  { roomId, sender }: { readonly roomId: RoomId; readonly sender: UserId },
  replacement: RoomId,
): Promise<void> {
  const drafts = [...(await children(rt, roomId)), ...(await bans(rt, roomId))].slice(0, MAX_FOLLOWING)
  for (const draft of drafts) {
    try {
      await writeEvents(rt, async (tx, maker) => {
        const room = await openRoom(tx, replacement)
        return room && extendRoom(tx, maker, room, { roomId: replacement, sender, ...draft })
      })
    } catch (cause) {
      if (!(cause instanceof MatrixError)) throw cause
      rt.log.info(
        { err: cause, roomId: replacement, type: draft.type },
        'a state event could not be copied into a replacement room',
      )
    }
  }
}

type Following = { readonly type: string; readonly stateKey: string; readonly content: JsonObject }

async function children({ db }: Needs, roomId: RoomId): Promise<Following[]> {
  const room = await roomById(db.read, roomId)
  const create = room && (await loadStateEvent(db.read, room.stateRoot, 'm.room.create'))
  if (!room || !create || stringMember(create.content, 'type') !== 'm.space') return []
  const type = 'm.space.child'
  const events = await eventsByNid(db.read, await stateOfType(db.read, room.stateRoot, type))
  return [...events.values()].flatMap(({ pdu: { content, stateKey } }) =>
    stateKey === undefined || Object.keys(content).length === 0 ? [] : [{ type, stateKey, content }],
  )
}

async function bans({ db }: Needs, roomId: RoomId): Promise<Following[]> {
  const banned = await membersOf(db.read, roomId, ['ban'], MAX_FOLLOWING)
  const events = await eventsByNid(
    db.read,
    banned.map(({ eventNid }) => eventNid),
  )
  return banned.map(({ userId, eventNid }) => {
    const event = events.get(eventNid)
    const reason = event && stringMember(event.pdu.content, 'reason')
    const content = { membership: 'ban', ...(reason === undefined ? {} : { reason }) }
    return { type: 'm.room.member', stateKey: userId, content }
  })
}
