// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { spendPredecessor, tokenOwner } from '@myelin/storage/accounts/sessions'
import { noteDeviceSeen } from './device-seen.ts'
import type { Requester, Runtime } from '../runtime/runtime.ts'

/** A presented token, and the device information of the request. */
export interface PresentedToken {
  readonly token: string
  readonly mayBeLocked: boolean
  readonly address: string
  readonly userAgent: string | undefined
}

/**
 * Returns the account and device of an access token.
 *
 * Throws `M_UNKNOWN_TOKEN` (soft logout when it only expired) or `M_USER_LOCKED`. The first use of a refreshed token
 * revokes the pair that it replaced.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#using-access-tokens
 */
export async function requesterOf(rt: Pick<Runtime, 'db' | 'clock'>, presented: PresentedToken): Promise<Requester> {
  const owner = await tokenOwner(rt.db.read, presented.token)
  if (!owner) throw new MatrixError('M_UNKNOWN_TOKEN', 'unknown access token', { extra: { soft_logout: false } })
  const now = rt.clock.now()
  if (owner.expiresTs !== null && owner.expiresTs <= now) {
    throw new MatrixError('M_UNKNOWN_TOKEN', 'the access token has expired', { extra: { soft_logout: true } })
  }
  if (owner.isLocked && !presented.mayBeLocked) {
    throw new MatrixError('M_USER_LOCKED', 'this account has been locked', { extra: { soft_logout: true } })
  }
  const { userId, deviceId, isAdmin, isGuest, predecessorId } = owner
  if (predecessorId !== null) await rt.db.write((tx) => spendPredecessor(tx, predecessorId))
  noteDeviceSeen(rt, owner, presented, now)
  return { userId, deviceId, isAdmin, isGuest }
}
