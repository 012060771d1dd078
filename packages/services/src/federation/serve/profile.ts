// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { serverOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { ownProfile, ownProfileField } from '../../accounts/profile.ts'
import type { Runtime } from '../../runtime/runtime.ts'

/**
 * Returns a local user's profile, or one field of it; throws `M_FORBIDDEN` where the admin has disabled it.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1queryprofile
 */
export async function serveProfile(
  rt: Pick<Runtime, 'db' | 'serverName' | 'config'>,
  userId: UserId,
  field: string | undefined,
): Promise<JsonObject> {
  if (!rt.config.disclosure.allowsProfileLookup) {
    throw new MatrixError('M_FORBIDDEN', 'profiles of this server are not available over federation')
  }
  if (serverOf(userId) !== rt.serverName) throw new MatrixError('M_INVALID_PARAM', 'user is not on this server')
  if (field === undefined) return ownProfile(rt, userId)
  return ownProfileField(rt, userId, field)
}
