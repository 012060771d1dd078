// SPDX-License-Identifier: Apache-2.0
import { isUserId, serverOf } from '@myelin/matrix/ids'
import type { ServerName, UserId } from '@myelin/matrix/ids'
import { isObject, member, stringMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { cachedMemberships } from '@myelin/storage/rooms/members/members'
import { BUSY } from '@myelin/storage/sync/presence'
import type { Presence } from '@myelin/storage/sync/presence'
import { setRemotePresence } from '../../runtime/set-presence.ts'
import type { EduReceiver, ReceiveEdu } from './edu-receiver.ts'
import { roomOfEdu } from './room-of-edu.ts'

/** The most users read from one EDU. */
const MAX_USERS = 100
const MAX_STATUS = 1_000
/** The most rooms examined for a common one; it is mostly the first. */
const MAX_ROOMS = 20

type Said = Omit<Presence, 'position' | 'saidTs'>

/**
 * Stores the presence of remote users who share a room with a local user.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#presence
 */
export const receivePresence: ReceiveEdu = async (rt, origin, content) => {
  const push = member(content, 'push')
  if (!rt.config.presence.isEnabled || !Array.isArray(push)) return
  const said: Said[] = []
  for (const each of (push as readonly Json[]).slice(0, MAX_USERS)) {
    const user = isObject(each) ? readPush(rt, origin, each) : undefined
    if (user && (await isMet(rt, origin, user.userId))) said.push(user)
  }
  await setRemotePresence(rt, said)
}

function readPush({ clock }: EduReceiver, origin: ServerName, push: JsonObject): Said | undefined {
  const [userId, state] = [member(push, 'user_id'), member(push, 'presence')]
  if (!isUserId(userId) || serverOf(userId) !== origin) return undefined
  if (state !== 'online' && state !== 'unavailable' && state !== 'offline' && state !== BUSY) return undefined
  const ago = member(push, 'last_active_ago')
  const isGiven = typeof ago === 'number' && Number.isSafeInteger(ago) && ago >= 0
  return {
    userId,
    state,
    statusMessage: stringMember(push, 'status_msg')?.slice(0, MAX_STATUS),
    lastActiveTs: isGiven ? Math.max(0, clock.now() - ago) : 0,
    isActive: state === 'online' && member(push, 'currently_active') === true,
  }
}

async function isMet(rt: EduReceiver, origin: ServerName, userId: UserId): Promise<boolean> {
  const joined = (await cachedMemberships(rt.db.read, userId)).filter(({ membership }) => membership === 'join')
  for (const { roomId } of joined.slice(0, MAX_ROOMS)) if (await roomOfEdu(rt, origin, roomId)) return true
  return false
}
