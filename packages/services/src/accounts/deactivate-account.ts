// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { member } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { closeAccount } from '@myelin/storage/accounts/accounts'
import { ADMIN_DEVICE, deleteDevices, devicesOf } from '@myelin/storage/accounts/devices'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { authenticateOperation } from './interactive-auth.ts'

/** A request to deactivate one's account. */
export interface Deactivation {
  readonly auth: JsonObject | undefined
  /** The user's messages are redacted for users who join later. */
  readonly erase: boolean | undefined
  /** Leaves every room of a user; passed in because accounts do not depend on rooms. */
  readonly leaveRooms: (userId: UserId) => Promise<void>
}

type Needs = Pick<Runtime, 'db' | 'clock' | 'random' | 'limits' | 'serverName'>

/**
 * Deactivates the requester's account for good after they proved its password; an application service needs no proof.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#account-deactivation
 */
export async function deactivateAccount(
  rt: Needs,
  { userId, appService }: Requester,
  request: Deactivation,
): Promise<void> {
  const { auth, erase, leaveRooms } = request
  if (appService) return endAccount(rt, userId, erase === true, leaveRooms)
  const agreed = await authenticateOperation(rt, {
    name: 'deactivate',
    userId,
    flows: [['m.login.password']],
    auth,
    parameters: erase === undefined ? {} : { erase },
  })
  await endAccount(rt, userId, member(agreed, 'erase') === true, leaveRooms)
}

/** Deactivates an account for good; the caller has authorized it. */
export async function endAccount(
  rt: Pick<Runtime, 'db'>,
  userId: UserId,
  isErased: boolean,
  leaveRooms: (userId: UserId) => Promise<void>,
): Promise<void> {
  // First, so that the request can be repeated if the server stops halfway.
  await leaveRooms(userId)
  await rt.db.write(async (tx) => {
    const ids = (await devicesOf(tx, userId)).map((device) => device.deviceId)
    await deleteDevices(tx, userId, [...ids, ADMIN_DEVICE])
    await closeAccount(tx, userId, isErased)
  })
  // Again, for rooms that another device joined in the meantime; the tokens are gone by now.
  await leaveRooms(userId)
}
