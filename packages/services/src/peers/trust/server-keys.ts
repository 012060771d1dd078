// SPDX-License-Identifier: Apache-2.0
import { decodeBase64 } from '@myelin/matrix/base64'
import type { ServerName } from '@myelin/matrix/ids'
import { serverKeysOf } from '@myelin/storage/federation/server-keys'
import type { Runtime } from '../../runtime/runtime.ts'
import { askNotaries, askServers } from './fetch-keys.ts'
import { keepServerKeys } from './keep-keys.ts'
import { KeyRing, type KeyWanted, MAX_VALIDITY_MS } from './key-ring.ts'

export type { KeyRing, KeyWanted } from './key-ring.ts'

type Needs = Pick<Runtime, 'db' | 'remote' | 'clock' | 'config' | 'serverName' | 'signingKey' | 'otherKeys' | 'log'>

/** From this many unknown servers on, notaries are queried first. */
const MANY_SERVERS = 10

/**
 * Returns the wanted keys as far as they are available: from storage, from the servers themselves, or from notaries.
 *
 * Unavailable keys are missing in the ring; nothing is thrown. Fetched keys are stored.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#retrieving-server-keys
 */
export async function loadServerKeys(rt: Needs, wanted: readonly KeyWanted[]): Promise<KeyRing> {
  const ring = new KeyRing()
  addOwnKeys(ring, rt)
  await addStoredKeys(rt, ring, serversOf(wanted.filter(({ server }) => server !== rt.serverName)))
  await addAskedKeys(rt, ring, wanted)
  return ring
}

/** Adds the stored keys of these servers. */
export async function addStoredKeys(
  rt: Pick<Runtime, 'db'>,
  ring: KeyRing,
  servers: readonly ServerName[],
): Promise<void> {
  for (const key of await serverKeysOf(rt.db.read, servers)) ring.add(key.server, key)
}

/** Fetches the wanted keys that are not in the ring from the servers themselves and notaries, and adds them. */
export async function addAskedKeys(rt: Needs, ring: KeyRing, wanted: readonly KeyWanted[]): Promise<void> {
  const foreign = wanted.filter(({ server }) => server !== rt.serverName)
  const steps = [askServers, askNotaries]
  // No key is valid further ahead.
  const latest = rt.clock.now() + MAX_VALIDITY_MS
  const isMissing = (key: KeyWanted): boolean => key.validAt <= latest && !ring.isSettled(key)
  const missing = foreign.filter(isMissing)
  if (serversOf(missing).length > MANY_SERVERS) steps.reverse()
  for (const ask of steps) {
    const still = foreign.filter(isMissing)
    if (still.length === 0) break
    const answers = await ask(rt, still)
    await keepServerKeys(rt, answers)
    for (const { server, keys } of answers) for (const key of keys) ring.add(server, key)
  }
}

/** Returns the servers of these keys, each once. */
export function serversOf(wanted: readonly KeyWanted[]): ServerName[] {
  return [...new Set(wanted.map(({ server }) => server))]
}

/** Adds this server's keys, which are valid as long as it has them. */
export function addOwnKeys(
  ring: KeyRing,
  { serverName, signingKey, otherKeys, config }: Pick<Runtime, 'serverName' | 'signingKey' | 'otherKeys' | 'config'>,
): void {
  for (const { keyId, publicKey, expiredTs } of config.federation.oldSigningKeys) {
    const bytes = decodeBase64(publicKey)
    if (bytes) ring.add(serverName, { keyId, publicKey: bytes, validUntilTs: expiredTs, isOld: true })
  }
  for (const { id: keyId, publicKey } of [signingKey, ...otherKeys.published])
    ring.add(serverName, { keyId, publicKey, validUntilTs: Number.MAX_SAFE_INTEGER, isOld: false })
}
