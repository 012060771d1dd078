// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId } from '@myelin/matrix/ids'
import { dropGuestCheck, joinedGuests } from '@myelin/storage/rooms/owed-guest-checks'
import { roomById } from '@myelin/storage/rooms/rooms'
import type { Read } from '@myelin/storage/engine/database'
import type { Runtime } from '../runtime/runtime.ts'
import { allowsGuests } from '../room-state/guest-access.ts'
import { changeMembership } from './append/members-change.ts'
import { writeEvents } from './append/write-events.ts'
import type { Joiner } from './handshake/join-remote.ts'
import type { EventMaker } from './drafts/event-draft.ts'

type Needs = EventMaker & Joiner & Pick<Runtime, 'db' | 'typing' | 'log'>

/**
 * Makes this server's guests leave a room where it no longer allows guests. A guest whose leave is refused stays, and is logged.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#guest-access
 */
export async function checkGuests(rt: Needs, roomId: RoomId, term?: AbortSignal): Promise<void> {
  const refused = new Set<string>()
  for (;;) {
    const next = (await unwantedGuests(rt.db.read, roomId)).find((guest) => !refused.has(guest))
    if (next === undefined || term?.aborted) break
    try {
      const leave = { roomId, sender: next, target: next, membership: 'leave' } as const
      await writeEvents(rt, (tx, maker) => changeMembership(tx, maker, leave))
      rt.typing.stop(roomId, next)
    } catch (cause) {
      if (!(cause instanceof MatrixError)) throw cause
      rt.log.info({ err: cause, user: next, roomId }, 'a guest could not leave a room that no longer allows guests')
      refused.add(next)
    }
  }
  if (term?.aborted) return
  await rt.db.write(async (tx) => {
    // The room may have changed again.
    const isDone = (await unwantedGuests(tx, roomId)).every((guest) => refused.has(guest))
    if (isDone) await dropGuestCheck(tx, roomId)
  })
}

async function unwantedGuests(db: Read, roomId: RoomId) {
  const room = await roomById(db, roomId)
  return !room || (await allowsGuests(db, room.stateRoot)) ? [] : joinedGuests(db, roomId)
}
