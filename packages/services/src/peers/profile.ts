// SPDX-License-Identifier: Apache-2.0
import { fitsBytes, serverOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { federationPath } from '@myelin/remote/federation'
import { askServer } from './ask-server.ts'
import type { Asker } from './ask-server.ts'

const KEEP_MS = 60_000
const MAX_BYTES = 128 * 1024
const MAX_KEY_BYTES = 255
const TEXT_FIELDS: ReadonlySet<string> = new Set(['displayname', 'avatar_url'])

/** Returns the profile of another server's user; answers are cached for a minute. */
export async function askProfile(rt: Asker, userId: UserId): Promise<JsonObject> {
  return rt.remote.recent.get(`profile ${userId}`, rt.clock.now(), KEEP_MS, async () => {
    const target = federationPath(['federation', 'v1', 'query', 'profile'], { user_id: userId })
    return checked(await askServer(rt, serverOf(userId), { method: 'GET', target, maxBytes: MAX_BYTES }))
  })
}

/** Returns the valid fields, in an object without a prototype because their names come from outside. */
function checked(answer: JsonObject): JsonObject {
  const profile = Object.create(null) as Record<string, Json>
  for (const [key, value] of Object.entries(answer)) {
    const isWrong = TEXT_FIELDS.has(key) ? typeof value !== 'string' : value === null
    if (!isWrong && fitsBytes(key, MAX_KEY_BYTES)) profile[key] = value
  }
  return profile
}
