// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import { isSuspended } from '@myelin/storage/accounts/accounts'
import type { Runtime } from '../runtime/runtime.ts'

/**
 * Throws `M_USER_SUSPENDED` for a suspended account.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#account-suspension
 */
export async function refuseSuspended(rt: Pick<Runtime, 'db'>, userId: UserId): Promise<void> {
  if (await isSuspended(rt.db.read, userId))
    throw new MatrixError('M_USER_SUSPENDED', 'this account has been suspended')
}
