// SPDX-License-Identifier: Apache-2.0
import { deleteDevices, devicesOf } from '@myelin/storage/accounts/devices'
import type { Requester, Runtime } from '../runtime/runtime.ts'

/**
 * Ends the requester's session and deletes its device.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3logout
 */
export async function logOut(rt: Pick<Runtime, 'db'>, { userId, deviceId }: Requester): Promise<void> {
  await rt.db.write((tx) => deleteDevices(tx, userId, [deviceId]))
}

/**
 * Ends every session of the requester.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3logoutall
 */
export async function logOutEverywhere(rt: Pick<Runtime, 'db'>, { userId }: Requester): Promise<void> {
  await rt.db.write(async (tx) => {
    const devices = await devicesOf(tx, userId)
    await deleteDevices(
      tx,
      userId,
      devices.map((device) => device.deviceId),
    )
  })
}
