// SPDX-License-Identifier: Apache-2.0
import type { Invariant } from '../record/invariant.ts'
import { isAcknowledged } from '../record/ledger.ts'

/** L8: the server is healthy soon after each kill, and refuses nothing that it should take. */
export const healthyAgain: Invariant = {
  name: 'L8',
  title: 'healthy again in time, nothing refused',
  judge(deeds, { recoveriesMs, recoveryLimitMs }) {
    const violations = recoveriesMs
      .filter((ms) => ms > recoveryLimitMs)
      .map((ms) => `it took ${Math.round(ms)} ms to be healthy again`)
    for (const deed of deeds) {
      const refusal = deed.answers.find(({ status }) => status !== 200)
      if (refusal && !isAcknowledged(deed))
        violations.push(`${JSON.stringify(deed.act)} of ${deed.user} was answered ${refusal.status}`)
    }
    return { checked: recoveriesMs.length, violations }
  },
}
