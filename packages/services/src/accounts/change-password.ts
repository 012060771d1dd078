// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { member, stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { putPasswordHash } from '@myelin/storage/accounts/accounts'
import { ADMIN_DEVICE, deleteDevices, devicesOf } from '@myelin/storage/accounts/devices'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { authenticateOperation } from './interactive-auth.ts'
import { checkNewPassword, hashPassword } from './passwords.ts'

/** A request to change the password. */
export interface PasswordChange {
  readonly auth: JsonObject | undefined
  readonly newPassword: string | undefined
  /** The other devices are logged out; true by default. */
  readonly logsOutDevices: boolean | undefined
}

type Needs = Pick<Runtime, 'db' | 'clock' | 'random' | 'config' | 'limits' | 'log' | 'serverName'>

/**
 * Sets the requester's password after they proved the old one; the requesting device stays logged in.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3accountpassword
 */
export async function changePassword(rt: Needs, requester: Requester, change: PasswordChange): Promise<void> {
  const { userId, deviceId } = requester
  const { auth, newPassword, logsOutDevices } = change
  if (!rt.config.passwords.isEnabled) throw new MatrixError('M_FORBIDDEN', 'password authentication is disabled')
  if (newPassword !== undefined) checkNewPassword(rt.config.passwords.policy, newPassword)
  const agreed = await authenticateOperation(rt, {
    name: 'change password',
    userId,
    flows: [['m.login.password']],
    auth,
    parameters: {
      ...(newPassword === undefined ? {} : { password_hash: await hashPassword(rt, newPassword) }),
      ...(logsOutDevices === undefined ? {} : { logout_devices: logsOutDevices }),
    },
  })
  const passwordHash = stringMember(agreed, 'password_hash')
  if (passwordHash === undefined) throw new MatrixError('M_MISSING_PARAM', '`new_password` is missing')
  await rt.db.write(async (tx) => {
    await putPasswordHash(tx, userId, passwordHash)
    if (member(agreed, 'logout_devices') === false) return
    const ids = [...(await devicesOf(tx, userId)).map((device) => device.deviceId), ADMIN_DEVICE]
    await deleteDevices(
      tx,
      userId,
      ids.filter((id) => id !== deviceId),
    )
  })
}
