// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { dehydratedDeviceOf } from '@myelin/storage/accounts/dehydrated-devices'
import { deleteDevices } from '@myelin/storage/accounts/devices'
import type { Device } from '@myelin/storage/accounts/devices'
import { nameOwnDevice, ownDevice, ownDevices } from '../accounts/devices.ts'
import { addDevice } from '../accounts/start-session.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { localAccount } from './local-account.ts'

/** Returns the devices of a user of this server, and whether the user has a dehydrated device besides. */
export async function devicesOfUser(
  rt: Runtime,
  userId: UserId,
): Promise<{ readonly devices: readonly Device[]; readonly hasDehydrated: boolean }> {
  const account = await localAccount(rt, userId)
  const dehydrated = await dehydratedDeviceOf(rt.db.read, account.userId)
  return { devices: await ownDevices(rt, account), hasDehydrated: dehydrated !== undefined }
}

/** Returns one device of a user of this server; throws `M_NOT_FOUND`. */
export async function deviceOfUser(rt: Runtime, userId: UserId, deviceId: string): Promise<Device> {
  return ownDevice(rt, await localAccount(rt, userId), deviceId)
}

/** Creates a device of a user of this server, without tokens; an existing one stays as it is. */
export async function addDeviceOfUser(rt: Runtime, userId: UserId, deviceId: string): Promise<void> {
  const account = await localAccount(rt, userId)
  await rt.db.write((tx) => addDevice(rt, tx, account.userId, deviceId))
}

/** Sets the display name of a device of a user of this server; throws `M_NOT_FOUND`. */
export async function nameDeviceOfUser(
  rt: Runtime,
  userId: UserId,
  deviceId: string,
  displayName: string | undefined,
): Promise<void> {
  await nameOwnDevice(rt, await localAccount(rt, userId), deviceId, displayName)
}

/** Deletes devices of a user of this server, with their sessions; those that do not exist are skipped. */
export async function deleteDevicesOfUser(rt: Runtime, userId: UserId, deviceIds: readonly string[]): Promise<void> {
  const account = await localAccount(rt, userId)
  await rt.db.write((tx) => deleteDevices(tx, account.userId, [...new Set(deviceIds)]))
}
