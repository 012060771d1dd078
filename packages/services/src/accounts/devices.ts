// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { deviceOf, devicesOf, putDevice, renameDevice } from '@myelin/storage/accounts/devices'
import type { Device } from '@myelin/storage/accounts/devices'
import type { Requester, Runtime } from '../runtime/runtime.ts'

type Needs = Pick<Runtime, 'db'>

const MAX_NAME_LENGTH = 100

/** Returns the requester's devices. */
export async function ownDevices(rt: Needs, { userId }: Pick<Requester, 'userId'>): Promise<Device[]> {
  return devicesOf(rt.db.read, userId)
}

/** Returns one of the requester's devices; throws `M_NOT_FOUND`. */
export async function ownDevice(rt: Needs, { userId }: Pick<Requester, 'userId'>, deviceId: string): Promise<Device> {
  const device = await deviceOf(rt.db.read, userId, deviceId)
  if (!device) throw noSuchDevice()
  return device
}

/**
 * Sets the display name of one of the requester's devices. Without a name nothing changes, but the device must exist.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3devicesdeviceid
 */
export async function nameOwnDevice(
  rt: Needs,
  requester: Pick<Requester, 'userId'>,
  deviceId: string,
  displayName: string | undefined,
): Promise<void> {
  if (displayName === undefined) return void (await ownDevice(rt, requester, deviceId))
  if (displayName.length > MAX_NAME_LENGTH) {
    throw new MatrixError('M_TOO_LARGE', `\`display_name\` must have at most ${MAX_NAME_LENGTH} characters`, {
      status: 400,
    })
  }
  const isNamed = await rt.db.write((tx) => renameDevice(tx, requester.userId, deviceId, displayName))
  if (!isNamed) throw noSuchDevice()
}

/**
 * Creates a device of a user for an application service, without tokens. Returns false, and renames it, where it exists.
 *
 * @see https://spec.matrix.org/v1.19/application-service-api/#server-admin-style-permissions
 */
export async function putDeviceForAppService(
  rt: Pick<Runtime, 'db' | 'clock'>,
  requester: Requester,
  deviceId: string,
  displayName: string | undefined,
): Promise<boolean> {
  if (await deviceOf(rt.db.read, requester.userId, deviceId)) {
    await nameOwnDevice(rt, requester, deviceId, displayName)
    return false
  }
  const device = { deviceId, displayName: displayName ?? null, createdTs: rt.clock.now() }
  await rt.db.write((tx) => putDevice(tx, requester.userId, device))
  return true
}

function noSuchDevice(): MatrixError {
  return new MatrixError('M_NOT_FOUND', 'no such device')
}
