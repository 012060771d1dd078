// SPDX-License-Identifier: Apache-2.0
import { dropStalePendingJoins } from '@myelin/storage/federation/pending-joins'
import { dropExpiredOpenIdTokens } from '@myelin/storage/accounts/openid-tokens'
import { dropUnusedConnections } from '@myelin/storage/accounts/sliding-connections'
import { dropOldEdus } from '@myelin/storage/federation/outgoing-edus'
import { dropOldRelays } from '@myelin/storage/federation/outgoing-events'
import { dropOldRulings } from '@myelin/storage/rooms/policy-rulings'
import { forgetAnswers } from '@myelin/storage/accounts/transactions'
import { expireRemoteMedia } from './media/expire-remote-media.ts'
import { expirePreviews } from './media/previews/expire-previews.ts'
import { STAGED } from './rooms/intake/inbound.ts'
import { joinsCountSince } from './rooms/intake/max-join.ts'
import type { Runtime } from './runtime/runtime.ts'

const HOUR_MS = 3_600_000
const SECOND_MS = 1000
/** The time for which a repeated transaction ID gets the first answer. */
export const ANSWERS_KEPT_MS = 24 * HOUR_MS

/** The validity of a policy server's ruling, and the longest time as a newcomer. */
export const RULINGS_KEPT_MS = 30 * 24 * HOUR_MS

/** The time for which data is kept for an unreachable server. */
export const UNSENT_KEPT_MS = 30 * 24 * HOUR_MS
/** The time for which an unused connection of sliding sync is kept. */
const CONNECTIONS_KEPT_MS = 30 * 24 * HOUR_MS
/** Number of rows deleted in one unit, so that other writes run in between. */
const ROWS_A_UNIT = 500

type Needs = Pick<Runtime, 'db' | 'clock' | 'log' | 'blobs' | 'config' | 'serverName'>

/**
 * Deletes expired data once an hour, and reads the changes of other nodes once a second, until the returned function
 * is called.
 */
export function startMaintenance(rt: Needs): () => void {
  const stop = new AbortController()
  const tidy = () => {
    timer = rt.clock.later(HOUR_MS, tidy)
    tidyUp(rt, stop.signal).catch((cause: unknown) => rt.log.error({ err: cause }, 'deleting expired data failed'))
  }
  const catchUp = () => {
    look = rt.clock.later(SECOND_MS, catchUp)
    rt.db.catchUp().catch((cause: unknown) => rt.log.error({ err: cause }, 'reading the changes of other nodes failed'))
  }
  let timer = rt.clock.later(HOUR_MS, tidy)
  let look = rt.clock.later(SECOND_MS, catchUp)
  return () => {
    stop.abort()
    timer.cancel()
    look.cancel()
  }
}

async function tidyUp(rt: Needs, stop: AbortSignal): Promise<void> {
  const { db, clock } = rt
  await db.write(async (tx) => {
    await forgetAnswers(tx, clock.now() - ANSWERS_KEPT_MS)
    await dropExpiredOpenIdTokens(tx, clock.now())
    await dropOldRulings(tx, clock.now() - RULINGS_KEPT_MS)
    if (await dropStalePendingJoins(tx, joinsCountSince(rt))) tx.touch(STAGED)
  })
  const kinds = [
    { drop: dropOldEdus, keptMs: UNSENT_KEPT_MS },
    { drop: dropOldRelays, keptMs: UNSENT_KEPT_MS },
    { drop: dropUnusedConnections, keptMs: CONNECTIONS_KEPT_MS },
  ]
  for (const { drop, keptMs } of kinds) {
    let dropped = ROWS_A_UNIT
    while (dropped === ROWS_A_UNIT && !stop.aborted) {
      dropped = await db.write((tx) => drop(tx, clock.now() - keptMs, ROWS_A_UNIT))
    }
  }
  await expirePreviews(rt, stop)
  await expireRemoteMedia(rt, stop)
}
