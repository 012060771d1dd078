// SPDX-License-Identifier: Apache-2.0
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { Runtime } from '../runtime/runtime.ts'
import { requireJoined } from './require-joined.ts'

// What Synapse takes when nothing is said, and at the most.
const DEFAULT_MS = 30_000
const MAX_MS = 120_000

/** Whether a user types in a room, and for how long at the most. */
export interface TypingNotice {
  readonly roomId: RoomId
  readonly userId: UserId
  readonly isTyping: boolean
  readonly timeoutMs: number | undefined
}

/**
 * Tells a room that one of its users types, or no longer does.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidtypinguserid
 */
export async function setTyping(rt: Pick<Runtime, 'db' | 'typing'>, notice: TypingNotice): Promise<void> {
  const { roomId, userId, isTyping, timeoutMs = DEFAULT_MS } = notice
  await requireJoined(rt.db.read, roomId, userId)
  if (isTyping && timeoutMs > 0) rt.typing.start(roomId, userId, Math.min(timeoutMs, MAX_MS))
  else rt.typing.stop(roomId, userId)
}
