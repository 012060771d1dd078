// SPDX-License-Identifier: Apache-2.0
import { canonicalJsonLoose } from '@myelin/matrix/canonical-json'
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Tx } from '@myelin/storage/engine/database'
import { dehydratedDeviceOf, putDehydratedDevice } from '@myelin/storage/accounts/dehydrated-devices'
import type { DehydratedDevice } from '@myelin/storage/accounts/dehydrated-devices'
import { deleteDevices, deviceOf, isCrossSigningKey, putDevice } from '@myelin/storage/accounts/devices'
import { shortenedName } from '../accounts/start-session.ts'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { checkedUpload, publishKeys } from './upload-keys.ts'
import type { CheckedUpload, KeyUpload } from './upload-keys.ts'

/** A dehydrated device as its user uploads it, with its public keys. */
export interface NewDehydratedDevice extends DehydratedDevice {
  readonly displayName: string | undefined
  readonly keys: KeyUpload & { readonly deviceKeys: JsonObject }
}

/** A pickle of fifty one-time keys has some 10 KiB. */
const MAX_DATA_BYTES = 128 * 1024

/**
 * Stores the dehydrated device of the requester with its keys, in place of the one before. Repeating a request has no effect.
 *
 * It is one of the user's devices, without a session.
 *
 * @throws MatrixError `M_INVALID_PARAM` if another device has the ID, `M_TOO_LARGE` for more than 128 KiB of data
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/3814
 */
export async function setDehydratedDevice(
  rt: Pick<Runtime, 'db' | 'limits' | 'clock'>,
  { userId, deviceId: requesting }: Requester,
  device: NewDehydratedDevice,
): Promise<void> {
  rt.limits.take('keyUploads', `${userId} ${requesting}`)
  const keys = checkedUpload({ userId, deviceId: device.deviceId }, device.keys)
  if (Buffer.byteLength(JSON.stringify(device.deviceData)) > MAX_DATA_BYTES)
    throw new MatrixError('M_TOO_LARGE', '`device_data` must have at most 128 KiB')
  const createdTs = rt.clock.now()
  await rt.db.write(async (tx) => {
    const before = await dehydratedDeviceOf(tx, userId)
    if (before && isSame(before, device)) return
    if (before) await deleteDevices(tx, userId, [before.deviceId])
    await makeDevice(tx, userId, device, { keys, createdTs })
  })
}

async function makeDevice(
  tx: Tx,
  userId: UserId,
  device: NewDehydratedDevice,
  { keys, createdTs }: { readonly keys: CheckedUpload; readonly createdTs: number },
): Promise<void> {
  const { deviceId, displayName } = device
  if ((await deviceOf(tx, userId, deviceId)) || (await isCrossSigningKey(tx, userId, deviceId)))
    throw new MatrixError('M_INVALID_PARAM', '`device_id` must not be the ID of another device or key of the user')
  const name = displayName === undefined ? null : shortenedName(displayName)
  await putDevice(tx, userId, { deviceId, displayName: name, createdTs })
  await publishKeys(tx, { userId, deviceId }, keys)
  await putDehydratedDevice(tx, userId, device)
}

/** Returns whether a request is a repetition, which must not delete messages that came since. */
function isSame(before: DehydratedDevice, device: DehydratedDevice): boolean {
  return (
    before.deviceId === device.deviceId &&
    canonicalJsonLoose(before.deviceData) === canonicalJsonLoose(device.deviceData)
  )
}

/** Returns the requester's dehydrated device; throws `M_NOT_FOUND` if there is none. */
export async function readDehydratedDevice(rt: Pick<Runtime, 'db'>, { userId }: Requester): Promise<DehydratedDevice> {
  return (await dehydratedDeviceOf(rt.db.read, userId)) ?? missing()
}

/** Deletes the requester's dehydrated device and returns its ID; throws `M_NOT_FOUND` if there is none. */
export async function deleteDehydratedDevice(rt: Pick<Runtime, 'db'>, { userId }: Requester): Promise<string> {
  return rt.db.write(async (tx) => {
    const { deviceId } = (await dehydratedDeviceOf(tx, userId)) ?? missing()
    await deleteDevices(tx, userId, [deviceId])
    return deviceId
  })
}

function missing(): never {
  throw new MatrixError('M_NOT_FOUND', 'no dehydrated device available')
}
