// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { cachedRoom } from '@myelin/storage/rooms/cached-room'
import type { Runtime } from '../runtime/runtime.ts'
import { isResident } from './servers-around.ts'

type Needs = Pick<Runtime, 'db' | 'bus' | 'clock' | 'serverName'>

/** The longest delay of a join's answer while the members are fetched. */
const JOIN_PATIENCE_MS = 250
/** The longest wait of requests that need the members. */
const PATIENCE_MS = 60_000
const LOOK_AGAIN_MS = 1_000

/** Returns the topic touched when an attempt to complete a room failed. */
export const triedTopic = (roomId: RoomId): string => `tried to complete ${roomId}`

/** Returns whether a room is partially joined, that is, most of its members are not known yet. */
export async function isPartial(db: Read, roomId: RoomId): Promise<boolean> {
  return (await cachedRoom(db, roomId))?.isPartial === true
}

/** Waits briefly for the first attempt to complete a room that was just joined: small rooms are complete by then. */
export async function awaitFirstCompletion(rt: Needs, roomId: RoomId): Promise<void> {
  await becomesWhole(rt, roomId, { patienceMs: JOIN_PATIENCE_MS, endsWithTry: true })
}

/**
 * Waits until the members of a room are known; throws `M_UNKNOWN` where they are not after a minute. A room that all
 * local users left is never completed, so its known members must do.
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
