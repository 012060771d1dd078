// SPDX-License-Identifier: Apache-2.0
import type { Invariant } from '../record/invariant.ts'
import { answeredIds } from '../record/ledger.ts'

/** L2: a transaction ID yields one event, however often it is sent and despite crashes. */
export const noDuplicate: Invariant = {
  name: 'L2',
  title: 'a retried transaction makes one event',
  judge(deeds, { rooms }) {
    const violations: string[] = []
    let checked = 0
    const byMarker = new Map<string, Set<string>>()
    for (const { id, marker } of rooms.flatMap(({ messages }) => messages)) {
      if (marker === undefined) continue
      byMarker.set(marker, (byMarker.get(marker) ?? new Set()).add(id))
    }
    for (const deed of deeds) {
      if (deed.act.act !== 'send') continue
      checked++
      const { marker } = deed.act
      const answered = answeredIds(deed)
      if (answered.length > 1) violations.push(`${marker} was answered with ${answered.join(' and ')}`)
      const made = byMarker.get(marker)?.size ?? 0
      if (made > 1) violations.push(`${marker} made ${made} events`)
    }
    return { checked, violations }
  },
}
