// SPDX-License-Identifier: Apache-2.0
import type { Invariant } from '../record/invariant.ts'
import { isAcknowledged } from '../record/ledger.ts'

/**
 * L7b: no one-time key is claimed twice, every claimed key was uploaded, and every acknowledged key is claimed in the
 * end, except for one key per claim whose answer was lost.
 *
 * Key names are unique in a run, which ends by claiming all remaining keys.
 */
export const oneTimeKeysOnce: Invariant = {
  name: 'L7b',
  title: 'no one-time key is given twice or lost',
  judge(deeds) {
    const violations: string[] = []
    const uploaded = new Map<string, string>()
    const kept = new Map<string, Set<string>>()
    const lost = new Map<string, number>()
    const given = new Set<string>()
    for (const deed of deeds) {
      if (deed.act.act !== 'upload') continue
      for (const key of deed.act.keys) uploaded.set(key, deed.user)
      if (isAcknowledged(deed)) kept.set(deed.user, new Set([...(kept.get(deed.user) ?? []), ...deed.act.keys]))
    }
    for (const deed of deeds) {
      if (deed.act.act !== 'claim') continue
      const { of } = deed.act
      lost.set(of, (lost.get(of) ?? 0) + deed.attempts - deed.answers.length)
      for (const key of deed.answers.flatMap(({ keys }) => keys ?? [])) {
        if (given.has(key)) violations.push(`${key} was given twice`)
        if (uploaded.get(key) !== of) violations.push(`${key} was given as a key of ${of}, who never uploaded it`)
        given.add(key)
        kept.get(of)?.delete(key)
      }
    }
    for (const [user, keys] of kept)
      if (keys.size > (lost.get(user) ?? 0)) violations.push(`${keys.size} keys of ${user} were never given`)
    return { checked: uploaded.size, violations }
  },
}
