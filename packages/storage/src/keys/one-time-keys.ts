// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { inChunks } from '../engine/database.ts'
import type { Tx } from '../engine/database.ts'
import { prepared } from '../engine/prepared.ts'
import { cachedReader } from '../engine/cached-reader.ts'
import { topics } from '../engine/topics.ts'

/** A one-time or fallback key. `key` is its JSON, in canonical form. */
export interface NamedKey {
  readonly algorithm: string
  readonly keyId: string
  readonly key: string
}

/** A claim: the device, and the algorithm of the key. */
export interface KeyClaim {
  readonly userId: UserId
  readonly deviceId: string
  readonly algorithm: string
}

/** Two keys of a device that have the same ID and differ. */
export interface KeyConflict {
  readonly held: NamedKey
  readonly uploaded: NamedKey
}

/** The number of claimed keys of a device that are remembered, so that a repeated upload does not restore them. */
const REMEMBERED = 1000

/**
 * Adds one-time keys to those of a device; returns the first whose ID another key has, with that key, and adds none then.
 *
 * A key that is there already stays where it is, and one that was claimed stays claimed.
 */
export async function addOneTimeKeys(
  tx: Tx,
  user: UserId,
  deviceId: string,
  keys: readonly NamedKey[],
): Promise<KeyConflict | undefined> {
  const known = await keysNamed(tx, user, deviceId, keys)
  const fresh: NamedKey[] = []
  for (const wanted of keys) {
    const held = known.get(nameOf(wanted))
    if (held?.key === wanted.key) continue
    if (held?.isClaimed === false) return { held: { ...wanted, key: held.key }, uploaded: wanted }
    fresh.push(wanted)
  }
  for (const { algorithm, keyId, key } of fresh) {
    const row = { key, nid: tx.takeNid(), claimed: 0 }
    await tx
      .insertInto('one_time_keys')
      .values({ user_id: user, device_id: deviceId, algorithm, key_id: keyId, ...row })
      .onConflict((at) => at.columns(['user_id', 'device_id', 'algorithm', 'key_id']).doUpdateSet(row))
      .execute()
  }
  if (fresh.length > 0) tx.touch(topics.keys(user))
  if (fresh.length > 0) await forgetClaimed(tx, user, deviceId)
  return undefined
}

async function keysNamed(
  tx: Tx,
  user: UserId,
  deviceId: string,
  keys: readonly NamedKey[],
): Promise<Map<string, { readonly key: string; readonly isClaimed: boolean }>> {
  const rows = await inChunks([...new Set(keys.map(({ keyId }) => keyId))], (chunk) =>
    tx
      .selectFrom('one_time_keys')
      .selectAll()
      .where('user_id', '=', user)
      .where('device_id', '=', deviceId)
      .where('key_id', 'in', chunk)
      .execute(),
  )
  return new Map(
    rows.map((row) => [
      nameOf({ algorithm: row.algorithm, keyId: row.key_id }),
      { key: row.key, isClaimed: row.claimed === 1 },
    ]),
  )
}

async function forgetClaimed(tx: Tx, user: UserId, deviceId: string): Promise<void> {
  const oldest = await tx
    .selectFrom('one_time_keys')
    .select('nid')
    .where('user_id', '=', user)
    .where('device_id', '=', deviceId)
    .where('claimed', '=', 1)
    .orderBy('nid', 'desc')
    .limit(1)
    .offset(REMEMBERED)
    .executeTakeFirst()
  if (!oldest) return
  await tx
    .deleteFrom('one_time_keys')
    .where('user_id', '=', user)
    .where('device_id', '=', deviceId)
    .where('claimed', '=', 1)
    .where('nid', '<=', oldest.nid)
    .execute()
}

/** Claims the oldest unclaimed key of a device; no other claim gets it. */
export async function claimOneTimeKey(tx: Tx, claim: KeyClaim): Promise<NamedKey | undefined> {
  const first = await tx
    .selectFrom('one_time_keys')
    .select(['key_id', 'key'])
    .where('user_id', '=', claim.userId)
    .where('device_id', '=', claim.deviceId)
    .where('claimed', '=', 0)
    .where('algorithm', '=', claim.algorithm)
    .orderBy('nid')
    .limit(1)
    .executeTakeFirst()
  if (!first) return undefined
  await tx
    .updateTable('one_time_keys')
    .set({ claimed: 1 })
    .where('user_id', '=', claim.userId)
    .where('device_id', '=', claim.deviceId)
    .where('algorithm', '=', claim.algorithm)
    .where('key_id', '=', first.key_id)
    .execute()
  tx.touch(topics.keys(claim.userId))
  return { algorithm: claim.algorithm, keyId: first.key_id, key: first.key }
}

/** Puts a fallback key in the place of the one a device had for the algorithm; the same one stays as used as it was. */
export async function putFallbackKey(tx: Tx, user: UserId, deviceId: string, fallback: NamedKey): Promise<void> {
  const { algorithm, keyId, key } = fallback
  const row = { key_id: keyId, key, used: 0 }
  await tx
    .insertInto('fallback_keys')
    .values({ user_id: user, device_id: deviceId, algorithm, ...row })
    .onConflict((at) =>
      at
        .columns(['user_id', 'device_id', 'algorithm'])
        .doUpdateSet(row)
        .where((held) => held.or([held('fallback_keys.key_id', '!=', keyId), held('fallback_keys.key', '!=', key)])),
    )
    .execute()
  tx.touch(topics.keys(user))
}

/** Returns a device's fallback key, which is used from here on. */
export async function useFallbackKey(tx: Tx, claim: KeyClaim): Promise<NamedKey | undefined> {
  const row = await tx
    .updateTable('fallback_keys')
    .set({ used: 1 })
    .where('user_id', '=', claim.userId)
    .where('device_id', '=', claim.deviceId)
    .where('algorithm', '=', claim.algorithm)
    .returning(['key_id', 'key'])
    .executeTakeFirst()
  tx.touch(topics.keys(claim.userId))
  return row && { algorithm: claim.algorithm, keyId: row.key_id, key: row.key }
}

/** Returns how many fallback keys a device has, used or not. */
export async function fallbackKeyCount(tx: Tx, user: UserId, deviceId: string): Promise<number> {
  const row = await tx
    .selectFrom('fallback_keys')
    .select((all) => all.fn.countAll<number>().as('count'))
    .where('user_id', '=', user)
    .where('device_id', '=', deviceId)
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/** Returns how many unclaimed one-time keys a device has, by algorithm. */
export const oneTimeKeyCounts = cachedReader(
  'oneTimeKeyCounts',
  20_000,
  (user: UserId) => topics.keys(user),
  async (db, user: UserId, deviceId: string) => {
    const rows = await counts(db, user, deviceId)
    return Object.fromEntries(rows.map((row) => [row.algorithm, Number(row.count)]))
  },
)

/** Returns the algorithms for which a device has an unused fallback key. */
export const unusedFallbackAlgorithms = cachedReader(
  'unusedFallbackKeys',
  20_000,
  (user: UserId) => topics.keys(user),
  async (db, user: UserId, deviceId: string) => {
    const rows = await unusedFallbacks(db, user, deviceId)
    return rows.map((row) => row.algorithm)
  },
)

const counts = prepared((db, user: UserId, deviceId: string) =>
  db
    .selectFrom('one_time_keys')
    .select((row) => ['algorithm', row.fn.countAll<number>().as('count')])
    .where('user_id', '=', user)
    .where('device_id', '=', deviceId)
    .where('claimed', '=', 0)
    .groupBy('algorithm'),
)

const unusedFallbacks = prepared((db, user: UserId, deviceId: string) =>
  db
    .selectFrom('fallback_keys')
    .select('algorithm')
    .where('user_id', '=', user)
    .where('device_id', '=', deviceId)
    .where('used', '=', 0)
    .orderBy('algorithm'),
)

function nameOf({ algorithm, keyId }: { readonly algorithm: string; readonly keyId: string }): string {
  return `${algorithm}:${keyId}`
}
