// SPDX-License-Identifier: Apache-2.0
import type { Invariant } from '../record/invariant.ts'
import { tally } from '../record/invariant.ts'

/**
 * L6: every PDU acknowledged to another server is in the room, once; every event acknowledged to a local user reaches
 * that server.
 */
export const nothingLostBetweenServers: Invariant = {
  name: 'L6',
  title: 'what was acknowledged between servers arrives',
  judge(_, { remoteRoom }) {
    if (!remoteRoom) return { checked: 0, violations: [] }
    const counts = tally(remoteRoom.messages)
    const heard = new Set(remoteRoom.heard)
    const violations = [...remoteRoom.acknowledged, ...remoteRoom.sent].flatMap((id) =>
      counts.get(id) === 1 ? [] : [`${id} is ${counts.get(id) ?? 0} times in /messages of the room remoteRoom`],
    )
    for (const id of remoteRoom.sent) if (!heard.has(id)) violations.push(`${id} never came to the other server`)
    return { checked: remoteRoom.acknowledged.length + remoteRoom.sent.length, violations }
  },
}
