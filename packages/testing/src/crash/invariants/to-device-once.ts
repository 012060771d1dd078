// SPDX-License-Identifier: Apache-2.0
import type { Invariant } from '../record/invariant.ts'
import { tally } from '../record/invariant.ts'
import { isAcknowledged } from '../record/ledger.ts'

/** L7a: following `next_batch`, an acknowledged to-device message comes once, an unanswered one at most once. */
export const toDeviceOnce: Invariant = {
  name: 'L7a',
  title: 'each to-device message comes exactly once',
  judge(deeds, { toDevice }) {
    const violations: string[] = []
    let checked = 0
    const given = new Map(toDevice.map(({ user, markers }) => [user, tally(markers)]))
    const sent = new Map<string, string>()
    for (const deed of deeds) {
      if (deed.act.act !== 'toDevice') continue
      checked++
      const { to, marker } = deed.act
      sent.set(marker, to)
      const count = given.get(to)?.get(marker) ?? 0
      if (count > 1 || (count === 0 && isAcknowledged(deed))) violations.push(`${marker} came ${count} times to ${to}`)
    }
    for (const [user, markers] of given)
      for (const marker of markers.keys())
        if (sent.get(marker) !== user) violations.push(`${marker} came to ${user}, who is not its recipient`)
    return { checked, violations }
  },
}
