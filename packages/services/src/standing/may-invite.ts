// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import { accountOf } from '@myelin/storage/accounts/accounts'
import type { Runtime } from '../runtime/runtime.ts'

/** Throws `M_FORBIDDEN` where only admins of the server may invite, and a user is none. */
export async function refuseInvites(rt: Pick<Runtime, 'db' | 'config'>, userId: UserId): Promise<void> {
  if (!rt.config.rooms.blocksInvites || (await accountOf(rt.db.read, userId))?.isAdmin) return
  throw new MatrixError('M_FORBIDDEN', 'invites are disabled on this server')
}
