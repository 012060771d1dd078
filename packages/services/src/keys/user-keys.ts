// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isUserId, serverOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { isObject, member, stringMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { lastDeviceChange } from '@myelin/storage/keys/device-lists'
import { ownKeys } from './query-keys.ts'
import type { LocalKeys } from './query-keys.ts'
import type { Runtime } from '../runtime/runtime.ts'

type Needs = Pick<Runtime, 'db' | 'serverName' | 'config'>

// No user of this server: signatures of users are hidden from it.
const STRANGER = '' as UserId

/** A user's devices as sent to other servers. */
export interface ServedDevices {
  readonly user_id: UserId
  /** Increases with every change. */
  readonly stream_id: number
  readonly devices: readonly JsonObject[]
  readonly master_key?: Json
  readonly self_signing_key?: Json
}

/**
 * Returns the devices with keys of a user of this server, and the user's cross-signing keys.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1userdevicesuserid
 */
export async function serveDevices(rt: Needs, userId: UserId): Promise<ServedDevices> {
  if (!isUserId(userId) || serverOf(userId) !== rt.serverName) {
    throw new MatrixError('M_INVALID_PARAM', 'user is not on this server')
  }
  // Read first: a stream ID that is too low causes another query, one that is too high hides a change.
  const streamId = await lastDeviceChange(rt.db.read, userId)
  const { deviceKeys, crossSigningKeys } = await ownKeys(rt, STRANGER, new Map([[userId, []]]))
  const devices = member(deviceKeys, userId)
  return {
    user_id: userId,
    stream_id: streamId,
    devices: Object.entries(isObject(devices) ? devices : {}).map(([deviceId, keys]) =>
      servedDevice(rt, deviceId, keys),
    ),
    ...present('master_key', member(crossSigningKeys.master, userId)),
    ...present('self_signing_key', member(crossSigningKeys.self_signing, userId)),
  }
}

/**
 * Returns the identity keys of users of this server, without signatures that only their owners see.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1userkeysquery
 */
export async function serveKeys(
  rt: Needs,
  asked: Readonly<Record<string, readonly string[]>>,
): Promise<Pick<LocalKeys, 'deviceKeys' | 'crossSigningKeys'>> {
  const ours = Object.entries(asked).filter(([user]) => isUserId(user) && serverOf(user) === rt.serverName)
  const { deviceKeys, crossSigningKeys } = await ownKeys(rt, STRANGER, new Map(ours as [UserId, readonly string[]][]))
  if (rt.config.disclosure.allowsDeviceNames) return { deviceKeys, crossSigningKeys }
  const nameless = Object.entries(deviceKeys).map(([user, devices]) => [
    user,
    Object.fromEntries(
      Object.entries(devices as JsonObject).map(([id, keys]) => [id, { ...(keys as JsonObject), unsigned: {} }]),
    ),
  ])
  return { deviceKeys: Object.fromEntries(nameless) as JsonObject, crossSigningKeys }
}

function servedDevice({ config }: Needs, deviceId: string, keys: Json): JsonObject {
  const { unsigned, ...signed } = keys as JsonObject
  const name = isObject(unsigned) ? stringMember(unsigned, 'device_display_name') : undefined
  const isNamed = config.disclosure.allowsDeviceNames && name !== undefined
  return { device_id: deviceId, keys: signed, ...(isNamed ? { device_display_name: name } : {}) }
}

function present(name: string, value: Json | undefined): JsonObject {
  return value === undefined ? {} : { [name]: value }
}
