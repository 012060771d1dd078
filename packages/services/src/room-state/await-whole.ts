// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { cachedRoom } from '@myelin/storage/rooms/cached-room'
import type { Runtime } from '../runtime/runtime.ts'
import { isResident } from './servers-around.ts'

type Needs = Pick<Runtime, 'db' | 'bus' | 'clock' | 'serverName'>

/** A join is answered after so long at the latest, however long it takes to learn who is in the room. */
const JOIN_PATIENCE_MS = 250
/** Whoever asks for what only the members tell waits so long. */
const PATIENCE_MS = 60_000
const LOOK_AGAIN_MS = 1_000

/** What is announced when somebody tried to learn the members of a room and did not. */
export const triedTopic = (roomId: RoomId): string => `tried to complete ${roomId}`

/** Whether most members of a room are not known yet. */
export async function isPartial(db: Read, roomId: RoomId): Promise<boolean> {
  return (await cachedRoom(db, roomId))?.isPartial === true
}

/** Waits a moment for the members of a room that was just entered: of small rooms they are there before anybody looks. */
export async function awaitFirstTry(rt: Needs, roomId: RoomId): Promise<void> {
  await becomesWhole(rt, roomId, { patienceMs: JOIN_PATIENCE_MS, endsWithTry: true })
}

/**
 * Waits until the members of a room are known; throws, after a minute, where they are still not. Where nobody of
 * ours is in the room any more, nothing will come, and what is known has to do.
 */
export async function requireFullState(rt: Needs, roomId: RoomId): Promise<void> {
  if (await becomesWhole(rt, roomId, { patienceMs: PATIENCE_MS, endsWithTry: false })) return
  throw new MatrixError('M_UNKNOWN', 'the members of this room are still being fetched; try again later', {
    status: 503,
  })
}

async function becomesWhole(
  rt: Needs,
  roomId: RoomId,
  { patienceMs, endsWithTry }: { readonly patienceMs: number; readonly endsWithTry: boolean },
): Promise<boolean> {
  const deadline = rt.clock.now() + patienceMs
  const tried = triedTopic(roomId)
  for (let isTried = false; ; ) {
    const { promise, resolve } = Promise.withResolvers<string>()
    const stop = rt.bus.wait([roomId, tried], resolve)
    try {
      if (!(await isPartial(rt.db.read, roomId)) || !(await isResident(rt, roomId))) return true
      const leftMs = deadline - rt.clock.now()
      if (leftMs <= 0 || (isTried && endsWithTry)) return false
      const timer = rt.clock.later(Math.min(leftMs, LOOK_AGAIN_MS), () => resolve(''))
      isTried = (await promise) === tried
      timer.cancel()
    } finally {
      stop()
    }
  }
}
