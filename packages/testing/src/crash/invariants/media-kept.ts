// SPDX-License-Identifier: Apache-2.0
import type { Invariant } from '../record/invariant.ts'

/** Returns the content of an upload with a marker, some KiB long, so that it has several pages. */
export function uploadedText(marker: string): string {
  return `${marker}\n`.repeat(1 + (Buffer.from(marker).reduce((sum, byte) => sum + byte, 0) % 1500))
}

/** L9: every acknowledged upload can be downloaded unchanged. */
export const mediaKept: Invariant = {
  name: 'L9',
  title: 'each acknowledged upload is there, whole',
  judge(deeds, { media }) {
    const violations: string[] = []
    let checked = 0
    const given = new Map(media.map(({ uri, text }) => [uri, text]))
    for (const { act, answers } of deeds) {
      if (act.act !== 'media') continue
      for (const { uri } of answers) {
        if (uri === undefined) continue
        checked++
        const text = given.get(uri)
        if (text === undefined) violations.push(`${uri} (${act.marker}) is gone`)
        else if (text !== uploadedText(act.marker)) violations.push(`${uri} (${act.marker}) is not what was uploaded`)
      }
    }
    return { checked, violations }
  },
}
