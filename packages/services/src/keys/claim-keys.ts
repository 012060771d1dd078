// SPDX-License-Identifier: Apache-2.0
import { RawJson } from '@myelin/kit/raw-json'
import type { UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Tx } from '@myelin/storage/engine/database'
import { claimOneTimeKey, useFallbackKey } from '@myelin/storage/keys/one-time-keys'
import type { KeyClaim, NamedKey } from '@myelin/storage/keys/one-time-keys'
import type { Runtime } from '../runtime/runtime.ts'
import { askOneTimeKeys } from '../peers/one-time-keys.ts'
import type { Asker } from '../peers/ask-server.ts'
import { askServers } from './ask-servers.ts'
import { askedUsers } from './asked-users.ts'

/** Keys by user, device and name. */
export type KeysByUser = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, RawJson>>>>>>

/** Claimed keys of all servers, and the servers that could not be queried. */
export interface ClaimedKeys {
  readonly oneTimeKeys: Readonly<Record<string, unknown>>
  readonly failures: JsonObject
}

/** Claims in one transaction; other writers get their turn in between. */
const CLAIMS_PER_UNIT = 50

/**
 * Claims a one-time key of every device in `claims`, a map from user to device to algorithm.
 *
 * Each key is claimed once, in the order of upload. A device without one-time keys gives its fallback key.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysclaim
 */
export async function claimKeys(
  rt: Pick<Runtime, 'db' | 'serverName' | 'limits'> & Asker,
  claimer: UserId,
  claims: Readonly<Record<string, Readonly<Record<string, string>>>>,
  timeoutMs?: number,
): Promise<ClaimedKeys> {
  const { local, away } = askedUsers(rt.serverName, claims)
  const claimed = new Map<string, unknown>(Object.entries(await claimOwnKeys(rt, local)))
  const failures = await askServers(rt, claimer, away, timeoutMs, async (server, users, patienceMs) => {
    for (const [user, keys] of await askOneTimeKeys(rt, server, users, patienceMs)) claimed.set(user, keys)
  })
  return { oneTimeKeys: Object.fromEntries(claimed), failures }
}

/** Claims one-time keys of devices of this server. */
export async function claimOwnKeys(
  rt: Pick<Runtime, 'db'>,
  local: ReadonlyMap<UserId, Readonly<Record<string, string>>>,
): Promise<KeysByUser> {
  const wanted = [...local].flatMap(([userId, devices]) =>
    Object.entries(devices).map(([deviceId, algorithm]) => ({ userId, deviceId, algorithm })),
  )
  const byUser = new Map<string, Map<string, Readonly<Record<string, RawJson>>>>()
  for (let start = 0; start < wanted.length; start += CLAIMS_PER_UNIT) {
    const some = wanted.slice(start, start + CLAIMS_PER_UNIT)
    for (const { claim, claimed } of await rt.db.write((tx) => claimAll(tx, some))) {
      const devices = byUser.get(claim.userId) ?? new Map<string, Readonly<Record<string, RawJson>>>()
      byUser.set(claim.userId, devices)
      devices.set(claim.deviceId, { [`${claimed.algorithm}:${claimed.keyId}`]: new RawJson(claimed.key) })
    }
  }
  return Object.fromEntries([...byUser].map(([user, devices]) => [user, Object.fromEntries(devices)]))
}

async function claimAll(tx: Tx, claims: readonly KeyClaim[]): Promise<{ claim: KeyClaim; claimed: NamedKey }[]> {
  const found: { claim: KeyClaim; claimed: NamedKey }[] = []
  for (const claim of claims) {
    const claimed = (await claimOneTimeKey(tx, claim)) ?? (await useFallbackKey(tx, claim))
    if (claimed) found.push({ claim, claimed })
  }
  return found
}
