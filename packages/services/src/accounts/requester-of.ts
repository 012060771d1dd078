// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import { accountOf } from '@myelin/storage/accounts/accounts'
import { deviceOf } from '@myelin/storage/accounts/devices'
import { spendPredecessor, tokenOwner } from '@myelin/storage/accounts/sessions'
import { noteDeviceSeen } from './device-seen.ts'
import { appServices } from '../runtime/app-services.ts'
import type { AppService } from '../runtime/app-services.ts'
import type { Requester, Runtime } from '../runtime/runtime.ts'

/** A presented token, and the device information of the request. */
export interface PresentedToken {
  readonly token: string
  readonly mayBeLocked: boolean
  readonly address: string
  readonly userAgent: string | undefined
  /** Returns the user and the device that an application service acts for. */
  readonly asserted: () => { readonly userId: string | undefined; readonly deviceId: string | undefined }
}

/**
 * Returns the account and device of an access token.
 *
 * Throws `M_UNKNOWN_TOKEN` (soft logout when it only expired) or `M_USER_LOCKED`. The first use of a refreshed token
 * revokes the pair that it replaced.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#using-access-tokens
 */
export async function requesterOf(
  rt: Pick<Runtime, 'db' | 'clock' | 'config'>,
  presented: PresentedToken,
): Promise<Requester> {
  const service = appServices(rt.config).withToken(presented.token)
  if (service) return actingUser(rt, service, presented)
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

/**
 * Returns the user that an application service acts for: its own, or a registered one of its namespace.
 *
 * @throws MatrixError `M_FORBIDDEN`, `M_UNKNOWN_DEVICE`, `M_USER_LOCKED`
 * @see https://spec.matrix.org/v1.19/application-service-api/#identity-assertion
 */
async function actingUser(
  { db }: Pick<Runtime, 'db'>,
  service: AppService,
  { asserted, mayBeLocked }: PresentedToken,
): Promise<Requester> {
  const { userId: wanted = service.sender, deviceId } = asserted()
  const userId = wanted as UserId
  if (!service.hasUser(userId)) {
    throw new MatrixError('M_FORBIDDEN', `the application service may not act for ${userId}`)
  }
  const account = await accountOf(db.read, userId)
  if (!account || account.isDeactivated) {
    throw new MatrixError('M_FORBIDDEN', `the application service has not registered ${userId}`)
  }
  if (account.isLocked && !mayBeLocked) {
    throw new MatrixError('M_USER_LOCKED', 'this account has been locked', { extra: { soft_logout: true } })
  }
  if (deviceId !== undefined && !(await deviceOf(db.read, userId, deviceId))) {
    throw new MatrixError('M_UNKNOWN_DEVICE', `${userId} has no device ${deviceId}`)
  }
  return { userId, deviceId: deviceId ?? '', isAdmin: false, isGuest: false, appService: service }
}
