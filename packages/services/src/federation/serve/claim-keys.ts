// SPDX-License-Identifier: Apache-2.0
import { isUserId, serverOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { claimOwnKeys } from '../../keys/claim-keys.ts'
import type { KeysByUser } from '../../keys/claim-keys.ts'
import type { Runtime } from '../../runtime/runtime.ts'

/**
 * Claims a one-time key of each named device of local users; other users are ignored.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1userkeysclaim
 */
export async function serveClaim(
  rt: Pick<Runtime, 'db' | 'serverName'>,
  claims: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Promise<KeysByUser> {
  const ours = Object.entries(claims).filter(([user]) => isUserId(user) && serverOf(user) === rt.serverName)
  return claimOwnKeys(rt, new Map(ours as [UserId, Readonly<Record<string, string>>][]))
}
