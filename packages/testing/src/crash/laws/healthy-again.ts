// SPDX-License-Identifier: Apache-2.0
import type { Law } from '../law.ts'
import { isAcknowledged } from '../ledger.ts'

const LONGEST_MS = 10_000

/** L8: the server is healthy soon after each kill, and refuses nothing that it should take. */
export const healthyAgain: Law = {
  name: 'L8',
  title: 'healthy again within 10 s, nothing refused',
  judge(deeds, { recoveriesMs }) {
    const violations = recoveriesMs
      .filter((ms) => ms > LONGEST_MS)
      .map((ms) => `it took ${Math.round(ms)} ms to be healthy again`)
    for (const deed of deeds) {
      const refusal = deed.answers.find(({ status }) => status !== 200)
      if (refusal && !isAcknowledged(deed))
        violations.push(`${JSON.stringify(deed.act)} of ${deed.user} was answered ${refusal.status}`)
    }
    return { checked: recoveriesMs.length, violations }
  },
}
