// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { shareRoom } from '@myelin/storage/rooms/members/shared-rooms'
import { presenceOf } from '@myelin/storage/sync/presence'
import type { Presence } from '@myelin/storage/sync/presence'
import type { Runtime } from '../runtime.ts'

/** Returns a user's presence as clients and other servers get it. */
export function presenceContent(presence: Presence, now: number): JsonObject {
  const { state, statusMessage, lastActiveTs, isActive } = presence
  return {
    presence: state,
    ...(lastActiveTs > 0 ? { last_active_ago: Math.max(0, now - lastActiveTs) } : {}),
    ...(statusMessage === undefined ? {} : { status_msg: statusMessage }),
    ...(state === 'online' ? { currently_active: isActive } : {}),
  }
}

/**
 * Returns a user's presence, for users who share a room with them; throws `M_FORBIDDEN` for all others.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3presenceuseridstatus
 */
export async function loadPresence(
  rt: Pick<Runtime, 'db' | 'clock' | 'config'>,
  viewer: UserId,
  userId: UserId,
): Promise<JsonObject> {
  if (viewer !== userId && !(await shareRoom(rt.db.read, viewer, userId))) {
    throw new MatrixError('M_FORBIDDEN', 'you do not have permission to view the presence of this user')
  }
  const [presence] = rt.config.presence.isEnabled ? await presenceOf(rt.db.read, [userId]) : []
  return presence ? presenceContent(presence, rt.clock.now()) : { presence: 'offline' }
}
