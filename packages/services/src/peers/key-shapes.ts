// SPDX-License-Identifier: Apache-2.0
import { isObject, member, objectMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'

/**
 * Returns whether another server's JSON is the identity keys of a user's device. Clients read these members without looking, so
 * keys of another shape are dropped before they reach one.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#_matrixclientv3keysupload_devicekeys
 */
export function isDeviceKeysOf(user: string, deviceId: string, keys: Json | undefined): keys is JsonObject {
  if (!isObject(keys) || member(keys, 'user_id') !== user || member(keys, 'device_id') !== deviceId) return false
  return (
    isTexts(member(keys, 'algorithms')) && isTextRecord(member(keys, 'keys')) && isOptionalObject(keys, 'signatures')
  )
}

/** Returns whether another server's JSON is a cross-signing key of a user. */
export function isSigningKeyOf(user: string, key: Json | undefined): key is JsonObject {
  if (!isObject(key) || member(key, 'user_id') !== user) return false
  return isTexts(member(key, 'usage')) && isTextRecord(member(key, 'keys')) && isOptionalObject(key, 'signatures')
}

function isTexts(value: Json | undefined): boolean {
  return Array.isArray(value) && (value as readonly Json[]).every((each) => typeof each === 'string')
}

function isTextRecord(value: Json | undefined): boolean {
  return isObject(value) && Object.values(value).every((each) => typeof each === 'string')
}

function isOptionalObject(object: JsonObject, key: string): boolean {
  return member(object, key) === undefined || objectMember(object, key) !== undefined
}
