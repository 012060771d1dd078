// SPDX-License-Identifier: Apache-2.0
import type { ServerName, UserId } from '@myelin/matrix/ids'
import { objectMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { federationPath } from '@myelin/remote/federation'
import { isDeviceKeysOf, isSigningKeyOf } from './key-shapes.ts'
import { askServer } from './ask-server.ts'
import type { Asker } from './ask-server.ts'

/** Identity keys of another server's users, by user. */
export interface ReportedKeys {
  readonly devices: ReadonlyMap<UserId, JsonObject>
  readonly master: ReadonlyMap<UserId, JsonObject>
  readonly selfSigning: ReadonlyMap<UserId, JsonObject>
}

const MAX_BYTES = 16 * 1024 * 1024

/**
 * Returns the identity keys of users of another server. Keys that were not requested, or that name another user or
 * device, are dropped.
 */
export async function askDeviceKeys(
  rt: Asker,
  server: ServerName,
  asked: ReadonlyMap<UserId, readonly string[]>,
  timeoutMs: number,
): Promise<ReportedKeys> {
  const target = federationPath(['federation', 'v1', 'user', 'keys', 'query'])
  const body = { device_keys: Object.fromEntries(asked) }
  const answer = await askServer(rt, server, { method: 'POST', target, body, timeoutMs, maxBytes: MAX_BYTES })
  return {
    devices: new Map([...asked].map(([user, devices]) => [user, devicesIn(answer, user, devices)])),
    master: keysIn(answer, 'master_keys', asked.keys()),
    selfSigning: keysIn(answer, 'self_signing_keys', asked.keys()),
  }
}

function devicesIn(answer: JsonObject, user: UserId, wanted: readonly string[]): JsonObject {
  const keysOfUser = objectMember(objectMember(answer, 'device_keys') ?? {}, user) ?? {}
  const devices = Object.entries(keysOfUser).filter(([id, keys]) => {
    const isWanted = wanted.length === 0 || wanted.includes(id)
    return isWanted && isDeviceKeysOf(user, id, keys)
  })
  return Object.fromEntries(devices)
}

function keysIn(answer: JsonObject, kind: string, users: Iterable<UserId>): Map<UserId, JsonObject> {
  const keysOfUser = objectMember(answer, kind) ?? {}
  const keys = new Map<UserId, JsonObject>()
  for (const user of users) {
    const key = objectMember(keysOfUser, user)
    if (isSigningKeyOf(user, key)) keys.set(user, key)
  }
  return keys
}
