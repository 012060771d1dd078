// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { member } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { closeAccount } from '@myelin/storage/accounts/accounts'
import { deleteDevices, devicesOf } from '@myelin/storage/accounts/devices'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { authenticateOperation } from './interactive-auth.ts'

/** A request to close one's account. */
export interface Deactivation {
  readonly auth: JsonObject | undefined
  /** Whether those who come later shall see what the user wrote. */
  readonly erase: boolean | undefined
  /** Takes a user out of every room: people do not know about rooms. */
  readonly leaveRooms: (userId: UserId) => Promise<void>
}

type Needs = Pick<Runtime, 'db' | 'clock' | 'random' | 'limits' | 'serverName'>

/**
 * Closes the requester's account for good once they have shown its password.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#account-deactivation
 */
export async function deactivateAccount(rt: Needs, { userId }: Requester, wish: Deactivation): Promise<void> {
  const { auth, erase, leaveRooms } = wish
  const agreed = await authenticateOperation(rt, {
    name: 'deactivate',
    userId,
    flows: [['m.login.password']],
    auth,
    parameters: erase === undefined ? {} : { erase },
  })
  await endAccount(rt, userId, member(agreed, 'erase') === true, leaveRooms)
}

/** Closes an account for good: whoever calls it has made sure that it is to be. */
export async function endAccount(
  rt: Pick<Runtime, 'db'>,
  userId: UserId,
  isErased: boolean,
  leaveRooms: (userId: UserId) => Promise<void>,
): Promise<void> {
  // First, so that it can be asked for again if the server stops halfway.
  await leaveRooms(userId)
  await rt.db.write(async (tx) => {
    const ids = (await devicesOf(tx, userId)).map((device) => device.deviceId)
    await deleteDevices(tx, userId, ids)
    await closeAccount(tx, userId, isErased)
  })
  // And again, for the rooms another device joined meanwhile; it has no token any more.
  await leaveRooms(userId)
}
