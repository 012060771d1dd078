// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { fitsBytes, isUserId, serverOf } from '@myelin/matrix/ids'
import { accountOf } from '@myelin/storage/accounts/accounts'
import type { Read } from '@myelin/storage/engine/database'
import { membershipIn } from '@myelin/storage/rooms/members/members'
import { isKnownUser } from '@myelin/storage/engine/names'
import { putReport } from '@myelin/storage/rooms/reports'
import type { Report } from '@myelin/storage/rooms/reports'
import { roomById } from '@myelin/storage/rooms/rooms'
import { knownEvent } from '../reading/messages.ts'
import type { Requester, Runtime } from '../runtime/runtime.ts'

type Needs = Pick<Runtime, 'db' | 'clock' | 'limits' | 'log' | 'serverName'>

const MAX_REASON_BYTES = 16_384

/**
 * Stores a report of an event, a room or a user for the admins, and logs it. Throws `M_NOT_FOUND` for an unknown
 * target, and for an event whose room the requester has not joined.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#reporting-content
 */
export async function report(rt: Needs, requester: Requester, about: Report['about'], reason: string): Promise<void> {
  if (!fitsBytes(reason, MAX_REASON_BYTES)) throw new MatrixError('M_TOO_LARGE', 'a reason has at most 16 KiB')
  rt.limits.take('reports', requester.userId)
  await requireThere(rt, requester, about)
  const kept: Report = { reporter: requester.userId, about, reason, receivedTs: rt.clock.now() }
  await rt.db.write((tx) => putReport(tx, kept))
  rt.log.warn({ reporter: requester.userId, ...about, reason }, 'content was reported')
}

async function requireThere(rt: Needs, requester: Requester, about: Report['about']): Promise<void> {
  const db = rt.db.read
  if ('eventId' in about) {
    const standing = await membershipIn(db, about.roomId, requester.userId)
    if (standing?.membership !== 'join') throw new MatrixError('M_NOT_FOUND', 'no such event')
    await knownEvent(db, requester, about.roomId, about.eventId)
  } else if ('roomId' in about) {
    if (!(await roomById(db, about.roomId))) throw new MatrixError('M_NOT_FOUND', 'no such room')
  } else if (!(await isThere(rt, db, about.userId))) {
    throw new MatrixError('M_NOT_FOUND', 'no such user')
  }
}

async function isThere(rt: Needs, db: Read, userId: string): Promise<boolean> {
  if (!isUserId(userId)) return false
  if (serverOf(userId) !== rt.serverName) return isKnownUser(db, userId)
  return (await accountOf(db, userId)) !== undefined
}
