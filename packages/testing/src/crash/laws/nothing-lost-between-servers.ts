// SPDX-License-Identifier: Apache-2.0
import type { Law } from '../law.ts'
import { tally } from '../law.ts'

/** L6: what another server was told we have is in the room, once; what we told our user is sent came to that server. */
export const nothingLostBetweenServers: Law = {
  name: 'L6',
  title: 'what was acknowledged between servers arrives',
  judge(_, { abroad }) {
    if (!abroad) return { checked: 0, violations: [] }
    const counts = tally(abroad.messages)
    const heard = new Set(abroad.heard)
    const violations = [...abroad.acknowledged, ...abroad.sent].flatMap((id) =>
      counts.get(id) === 1 ? [] : [`${id} is ${counts.get(id) ?? 0} times in /messages of the room abroad`],
    )
    for (const id of abroad.sent) if (!heard.has(id)) violations.push(`${id} never came to the other server`)
    return { checked: abroad.acknowledged.length + abroad.sent.length, violations }
  },
}
