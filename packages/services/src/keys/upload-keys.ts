// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@myelin/matrix/canonical-json'
import { MatrixError } from '@myelin/matrix/errors'
import { fitsBytes } from '@myelin/matrix/ids'
import { member } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { Tx } from '@myelin/storage/engine/database'
import { putDeviceKeys } from '@myelin/storage/keys/device-keys'
import { deviceOf } from '@myelin/storage/accounts/devices'
import { addOneTimeKeys, fallbackKeyCount, oneTimeKeyCounts, putFallbackKey } from '@myelin/storage/keys/one-time-keys'
import type { KeyConflict, NamedKey } from '@myelin/storage/keys/one-time-keys'
import type { Requester, Runtime } from '../runtime/runtime.ts'

/** The keys that a device uploads. The keys of `oneTimeKeys` and `fallbackKeys` are `<algorithm>:<key id>`. */
export interface KeyUpload {
  readonly deviceKeys?: JsonObject | undefined
  readonly oneTimeKeys?: JsonObject | undefined
  readonly fallbackKeys?: JsonObject | undefined
}

/** Clients keep 50 to 100 of them unclaimed. */
const MAX_ONE_TIME_KEYS = 500
/** Clients have one, for one algorithm. */
const MAX_FALLBACK_KEYS = 50

/**
 * Publishes keys of the requester's device. Returns the counts of its one-time keys by algorithm.
 *
 * Repeating an upload has no effect. If anything is invalid, nothing is stored.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysupload
 */
export async function uploadKeys(
  rt: Pick<Runtime, 'db' | 'limits'>,
  requester: Requester,
  upload: KeyUpload,
): Promise<Record<string, number>> {
  if (requester.deviceId === '')
    throw new MatrixError('M_MISSING_PARAM', 'keys belong to a device: the request must be one of a device')
  rt.limits.take('keyUploads', `${requester.userId} ${requester.deviceId}`)
  const keys = checkedUpload(requester, upload)
  return rt.db.write((tx) => publishKeys(tx, requester, keys))
}

/** A device and its user. */
type Owner = Pick<Requester, 'userId' | 'deviceId'>

/** Returns the keys that a device uploads, ready to be stored; throws `M_INVALID_PARAM`. */
export function checkedUpload(owner: Owner, upload: KeyUpload): CheckedUpload {
  checkOwner(owner, upload.deviceKeys)
  const oneTimeKeys = namedKeys(upload.oneTimeKeys)
  const fallbackKeys = namedKeys(upload.fallbackKeys)
  if (new Set(fallbackKeys.map(({ algorithm }) => algorithm)).size < fallbackKeys.length) {
    throw new MatrixError('M_INVALID_PARAM', 'an algorithm has at most one fallback key')
  }
  return { deviceKeys: upload.deviceKeys, oneTimeKeys, fallbackKeys }
}

/** Keys that a device uploads. */
export interface CheckedUpload {
  readonly deviceKeys: JsonObject | undefined
  readonly oneTimeKeys: readonly NamedKey[]
  readonly fallbackKeys: readonly NamedKey[]
}

/**
 * Stores the keys of a device. Returns the counts of its one-time keys by algorithm.
 *
 * @throws MatrixError `M_UNKNOWN_TOKEN` where the device is gone, `M_TOO_LARGE` for too many keys
 */
export async function publishKeys(
  tx: Tx,
  { userId, deviceId }: Owner,
  { deviceKeys, oneTimeKeys, fallbackKeys }: CheckedUpload,
): Promise<Record<string, number>> {
  // The device may have been deleted since the token was checked; its keys would never be deleted.
  if (!(await deviceOf(tx, userId, deviceId))) throw new MatrixError('M_UNKNOWN_TOKEN', 'the device was deleted')
  if (deviceKeys) {
    const { unsigned: _unsigned, ...kept } = deviceKeys
    await putDeviceKeys(tx, userId, deviceId, kept)
  }
  const conflict = await addOneTimeKeys(tx, userId, deviceId, oneTimeKeys)
  if (conflict) throw alreadyExists(conflict)
  for (const fallback of fallbackKeys) await putFallbackKey(tx, userId, deviceId, fallback)
  const counts = await oneTimeKeyCounts(tx, userId, deviceId)
  if (oneTimeKeys.length > 0 && Object.values(counts).reduce((sum, count) => sum + count, 0) > MAX_ONE_TIME_KEYS) {
    throw tooMany(`a device has at most ${MAX_ONE_TIME_KEYS} one-time keys`)
  }
  if (fallbackKeys.length > 0 && (await fallbackKeyCount(tx, userId, deviceId)) > MAX_FALLBACK_KEYS) {
    throw tooMany(`a device has at most ${MAX_FALLBACK_KEYS} fallback keys`)
  }
  return { signed_curve25519: 0, ...counts }
}

function tooMany(message: string): MatrixError {
  return new MatrixError('M_TOO_LARGE', message, { status: 400 })
}

/**
 * Returns the error for another key under a known ID. Clients compare its text and parse both keys: docs/compatibility.md.
 */
function alreadyExists({ held, uploaded }: KeyConflict): MatrixError {
  const name = `${uploaded.algorithm}:${uploaded.keyId}`
  const message = `One time key ${name} already exists. Old key: ${held.key}; new key: ${uploaded.key}`
  return new MatrixError('M_UNKNOWN', message, { status: 400 })
}

function checkOwner({ userId, deviceId }: Owner, deviceKeys: JsonObject | undefined): void {
  if (!deviceKeys) return
  if (member(deviceKeys, 'user_id') !== userId || member(deviceKeys, 'device_id') !== deviceId) {
    throw new MatrixError('M_INVALID_PARAM', '`device_keys` must have the user and device ID of the requester')
  }
}

function namedKeys(keys: JsonObject = {}): NamedKey[] {
  return Object.entries(keys).map(([name, key]: [string, Json]) => {
    // The schema counts characters, the index counts bytes.
    if (!fitsBytes(name, 255)) throw new MatrixError('M_INVALID_PARAM', 'a key ID must have at most 255 bytes')
    const colon = name.indexOf(':')
    return { algorithm: name.slice(0, colon), keyId: name.slice(colon + 1), key: canonicalJson(key) }
  })
}
