// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import { accountOf } from '@myelin/storage/accounts/accounts'
import { openIdUser, putOpenIdToken } from '@myelin/storage/accounts/openid-tokens'
import type { Requester, Runtime } from '../runtime/runtime.ts'

type Needs = Pick<Runtime, 'db' | 'clock' | 'random'>

const LIFETIME_MS = 3_600_000

/**
 * Returns a token by which a third party can verify the requester's identity at this server. It is valid for nothing
 * else.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3useruseridopenidrequest_token
 */
export async function requestOpenIdToken(
  rt: Needs,
  requester: Requester,
  userId: UserId,
): Promise<{ readonly token: string; readonly expiresInMs: number }> {
  if (userId !== requester.userId) throw new MatrixError('M_FORBIDDEN', '`userId` must be the requester')
  const token = rt.random.token(32)
  await rt.db.write((tx) => putOpenIdToken(tx, token, userId, rt.clock.now() + LIFETIME_MS))
  return { token, expiresInMs: LIFETIME_MS }
}

/**
 * Returns the user of such a token. Throws `M_MISSING_TOKEN` without one, `M_UNKNOWN_TOKEN` where it is unknown or has
 * expired, or its account may not act.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1openiduserinfo
 */
export async function openIdOwner(rt: Pick<Needs, 'db' | 'clock'>, token = ''): Promise<UserId> {
  if (token === '') throw new MatrixError('M_MISSING_TOKEN', 'missing access token')
  const userId = await openIdUser(rt.db.read, token, rt.clock.now())
  const account = userId === undefined ? undefined : await accountOf(rt.db.read, userId)
  if (!account || account.isDeactivated || account.isLocked) {
    throw new MatrixError('M_UNKNOWN_TOKEN', 'unknown or expired token')
  }
  return account.userId
}
