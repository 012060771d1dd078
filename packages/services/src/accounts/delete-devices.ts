// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'
import { canonicalJson } from '@myelin/matrix/canonical-json'
import { deleteDevices } from '@myelin/storage/accounts/devices'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { authenticateOperation } from './interactive-auth.ts'

type Needs = Pick<Runtime, 'db' | 'clock' | 'random' | 'limits' | 'serverName'>

/**
 * Deletes some of the requester's devices after they proved their password; the proof covers these devices only. Application
 * services need none.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3delete_devices
 */
export async function deleteOwnDevices(
  rt: Needs,
  { userId, appService }: Requester,
  deviceIds: readonly string[],
  auth: JsonObject | undefined,
): Promise<void> {
  const wanted = [...new Set(deviceIds)].sort()
  const name = `delete devices ${canonicalJson(wanted)}`
  if (!appService)
    await authenticateOperation(rt, { name, userId, flows: [['m.login.password']], auth, parameters: {} })
  await rt.db.write((tx) => deleteDevices(tx, userId, wanted))
}
