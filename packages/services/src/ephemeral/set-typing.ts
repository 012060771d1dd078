// SPDX-License-Identifier: Apache-2.0
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { Runtime } from '../runtime/runtime.ts'
import { requireJoined } from './require-joined.ts'

// Default and maximum of Synapse.
const DEFAULT_MS = 30_000
const MAX_MS = 120_000

/** The typing state of a user in a room, and its timeout in milliseconds. */
export interface TypingNotice {
  readonly roomId: RoomId
  readonly userId: UserId
  readonly isTyping: boolean
  readonly timeoutMs: number | undefined
}

/**
 * Sets whether a user is typing in a room.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidtypinguserid
 */
export async function setTyping(rt: Pick<Runtime, 'db' | 'typing'>, notice: TypingNotice): Promise<void> {
  const { roomId, userId, isTyping, timeoutMs = DEFAULT_MS } = notice
  await requireJoined(rt.db.read, roomId, userId)
  if (isTyping && timeoutMs > 0) rt.typing.start(roomId, userId, Math.min(timeoutMs, MAX_MS))
  else rt.typing.stop(roomId, userId)
}
