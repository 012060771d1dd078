// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { isObject, member, objectMember, stringMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { isDeviceKeysOf, isSigningKeyOf } from '../peers/key-shapes.ts'

/** A remote user's devices with their keys, and the user's cross-signing keys. */
export interface DeviceList {
  readonly devices: ReadonlyMap<string, JsonObject>
  readonly master: JsonObject | undefined
  readonly selfSigning: JsonObject | undefined
}

const MAX_DEVICES = 1_000
const MAX_BYTES = 1_000_000

/** Parses another server's response to a query for a user's devices; returns undefined if it is malformed. */
export function deviceListOf(
  user: UserId,
  answer: JsonObject,
): (DeviceList & { readonly streamId: number }) | undefined {
  const [listed, streamId] = [member(answer, 'devices'), member(answer, 'stream_id')]
  if (member(answer, 'user_id') !== user || !Array.isArray(listed) || !isStreamId(streamId)) return undefined
  const devices = new Map<string, JsonObject>()
  for (const device of listed as readonly Json[]) {
    if (!isObject(device)) return undefined
    const id = stringMember(device, 'device_id')
    const keys = id === undefined ? undefined : deviceKeysIn(user, id, device)
    if (id !== undefined && keys) devices.set(id, keys)
  }
  return {
    streamId,
    devices,
    master: signingKey(user, answer, 'master_key'),
    selfSigning: signingKey(user, answer, 'self_signing_key'),
  }
}

/** Returns a device's keys with its display name, as clients get them; undefined if they are of another device. */
export function deviceKeysIn(user: UserId, deviceId: string, device: JsonObject): JsonObject | undefined {
  const keys = objectMember(device, 'keys')
  if (!isDeviceKeysOf(user, deviceId, keys)) return undefined
  const { unsigned: _unsigned, ...signed } = keys
  const name = stringMember(device, 'device_display_name')
  return { ...signed, unsigned: name === undefined ? {} : { device_display_name: name } }
}

/** Returns a cross-signing key, if it is this user's. */
export function signingKey(user: UserId, answer: JsonObject, name: string): JsonObject | undefined {
  const key = objectMember(answer, name)
  return isSigningKeyOf(user, key) ? key : undefined
}

/** Returns whether a value is a valid stream ID. */
export function isStreamId(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** Returns a device list as it is stored; undefined if it is too large. */
export function printDeviceList({ devices, master, selfSigning }: DeviceList): JsonObject | undefined {
  const list: JsonObject = {
    devices: Object.fromEntries(devices),
    ...(master ? { master } : {}),
    ...(selfSigning ? { selfSigning } : {}),
  }
  return devices.size > MAX_DEVICES || JSON.stringify(list).length > MAX_BYTES ? undefined : list
}

/** Parses a stored device list. */
export function parseDeviceList(list: JsonObject): DeviceList {
  return {
    devices: new Map(Object.entries(objectMember(list, 'devices') ?? {}) as [string, JsonObject][]),
    master: objectMember(list, 'master'),
    selfSigning: objectMember(list, 'selfSigning'),
  }
}
