// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { serverOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { ownProfile, ownProfileField } from '../../accounts/profile.ts'
import type { Runtime } from '../../runtime/runtime.ts'

/**
 * What a user of this server tells about themselves, or one field of it, if its admin wants it told.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1queryprofile
 */
export async function serveProfile(
  rt: Pick<Runtime, 'db' | 'serverName' | 'config'>,
  userId: UserId,
  field: string | undefined,
): Promise<JsonObject> {
  if (!rt.config.disclosure.tellsProfiles) {
    throw new MatrixError('M_FORBIDDEN', 'this server does not tell others about its users')
  }
  if (serverOf(userId) !== rt.serverName) throw new MatrixError('M_INVALID_PARAM', 'that user is not one of ours')
  if (field === undefined) return ownProfile(rt, userId)
  return ownProfileField(rt, userId, field)
}
