// SPDX-License-Identifier: Apache-2.0
import type { ServerName, UserId } from '@myelin/matrix/ids'
import { isObject, objectMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { federationPath } from '@myelin/remote/federation'
import { askServer } from './ask-server.ts'
import type { Asker } from './ask-server.ts'

/**
 * Claims one-time keys of devices of another server. Keys of other devices and algorithms than requested are dropped.
 */
export async function askOneTimeKeys(
  rt: Asker,
  server: ServerName,
  claims: ReadonlyMap<UserId, Readonly<Record<string, string>>>,
  timeoutMs: number,
): Promise<Map<UserId, JsonObject>> {
  const target = federationPath(['federation', 'v1', 'user', 'keys', 'claim'])
  const body = { one_time_keys: Object.fromEntries(claims) }
  const answer = await askServer(rt, server, { method: 'POST', target, body, timeoutMs })
  const answered = objectMember(answer, 'one_time_keys') ?? {}
  const claimed = new Map<UserId, JsonObject>()
  for (const [user, devices] of claims) {
    const found = Object.entries(devices).flatMap(([deviceId, algorithm]) => {
      const key = keyIn(objectMember(objectMember(answered, user) ?? {}, deviceId) ?? {}, algorithm)
      return key ? [[deviceId, key] as const] : []
    })
    if (found.length > 0) claimed.set(user, Object.fromEntries(found))
  }
  return claimed
}

/** Returns the only key for a device; undefined where the answer has more than one. */
function keyIn(keys: JsonObject, algorithm: string): JsonObject | undefined {
  const entry = Object.entries(keys).find(([name, key]) => name.startsWith(`${algorithm}:`) && isKey(key))
  return entry && { [entry[0]]: entry[1] }
}

function isKey(key: Json): boolean {
  return typeof key === 'string' || (isObject(key) && typeof key['key'] === 'string')
}
