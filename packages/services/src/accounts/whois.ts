// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isUserId, serverOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { accountOf } from '@myelin/storage/accounts/accounts'
import { devicesOf } from '@myelin/storage/accounts/devices'
import type { Device } from '@myelin/storage/accounts/devices'
import type { Requester, Runtime } from '../runtime/runtime.ts'

type Needs = Pick<Runtime, 'db' | 'serverName'>

/**
 * Returns the devices of a local user, for themselves and for admins.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3adminwhoisuserid
 */
export async function whois(rt: Needs, requester: Requester, userId: UserId): Promise<Device[]> {
  // Checked before any lookup, so that other users cannot learn which accounts exist.
  if (requester.userId !== userId && !requester.isAdmin) {
    throw new MatrixError('M_FORBIDDEN', 'only server admins may view other users')
  }
  if (serverOf(userId) !== rt.serverName) throw new MatrixError('M_INVALID_PARAM', 'user is not on this server')
  const account = isUserId(userId) ? await accountOf(rt.db.read, userId) : undefined
  if (!account) throw new MatrixError('M_NOT_FOUND', 'no such user')
  return devicesOf(rt.db.read, userId)
}
