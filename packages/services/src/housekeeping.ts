// SPDX-License-Identifier: Apache-2.0
import { dropLostJoins } from '@myelin/storage/joins-under-way'
import { dropExpiredOpenIdTokens } from '@myelin/storage/openid-tokens'
import { dropOldRulings } from '@myelin/storage/policy-rulings'
import { forgetAnswers } from '@myelin/storage/transactions'
import { STAGED } from './rooms/intake/inbound.ts'
import { joinsCountSince } from './rooms/intake/longest-join.ts'
import type { Runtime } from './runtime.ts'

const HOUR_MS = 3_600_000
const SECOND_MS = 1000
/** How long a request may be repeated under its transaction id and still be answered as the first time. */
export const ANSWERS_KEPT_MS = 24 * HOUR_MS

/** How long what we said as a policy server stands, and how long somebody can be a newcomer. */
export const RULINGS_KEPT_MS = 30 * 24 * HOUR_MS

/**
 * Throws away, once an hour, what nobody will ask for any more, and looks once a second for what other nodes did; until
 * the returned function is called.
 */
export function keepHouse(rt: Pick<Runtime, 'db' | 'clock' | 'log'>): () => void {
  const tidy = () => {
    timer = rt.clock.later(HOUR_MS, tidy)
    rt.db
      .write(async (tx) => {
        await forgetAnswers(tx, rt.clock.now() - ANSWERS_KEPT_MS)
        await dropExpiredOpenIdTokens(tx, rt.clock.now())
        await dropOldRulings(tx, rt.clock.now() - RULINGS_KEPT_MS)
        if (await dropLostJoins(tx, joinsCountSince(rt))) tx.touch(STAGED)
      })
      .catch((cause: unknown) => rt.log.error({ err: cause }, 'housekeeping failed'))
  }
  const catchUp = () => {
    look = rt.clock.later(SECOND_MS, catchUp)
    rt.db.catchUp().catch((cause: unknown) => rt.log.error({ err: cause }, 'the database cannot be asked'))
  }
  let timer = rt.clock.later(HOUR_MS, tidy)
  let look = rt.clock.later(SECOND_MS, catchUp)
  return () => {
    timer.cancel()
    look.cancel()
  }
}
