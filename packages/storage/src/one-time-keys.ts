// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { prepared } from './prepared.ts'
import type { Read } from './database.ts'

/** How many unclaimed one-time keys a device has, by algorithm. */
export async function oneTimeKeyCounts(db: Read, user: UserId, deviceId: string): Promise<Record<string, number>> {
  const rows = await counts(db, user, deviceId)
  return Object.fromEntries(rows.map((row) => [row.algorithm, Number(row.count)]))
}

/** The algorithms for which a device has a fallback key that nobody was given yet. */
export async function unusedFallbackAlgorithms(db: Read, user: UserId, deviceId: string): Promise<string[]> {
  const rows = await unusedFallbacks(db, user, deviceId)
  return rows.map((row) => row.algorithm)
}

const counts = prepared((db, user: UserId, deviceId: string) =>
  db
    .selectFrom('one_time_keys')
    .select((row) => ['algorithm', row.fn.countAll<number>().as('count')])
    .where('user_id', '=', user)
    .where('device_id', '=', deviceId)
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
