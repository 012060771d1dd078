// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto'

/** The slot of the one call that a room has in clients without slots. */
export const ROOM_CALL_SLOT = 'm.call#ROOM'

/** Returns the name of the LiveKit room of a slot in a room, which all clients of the call derive alike. */
export function livekitRoomOf(roomId: string, slotId: string): string {
  return hashed([roomId, slotId])
}

/** Returns the identity of a participant in LiveKit: clients compute it from the participant's membership event. */
export function livekitIdentityOf(userId: string, deviceId: string, memberId: string): string {
  return hashed([userId, deviceId, memberId])
}

/** Returns the SHA-256 of a list's JSON, in unpadded Base64. */
function hashed(parts: readonly string[]): string {
  return hash('sha256', JSON.stringify(parts), 'base64').replace(/=+$/, '')
}
