// SPDX-License-Identifier: Apache-2.0
import type { Invariant } from '../record/invariant.ts'
import { tally } from '../record/invariant.ts'
import { answeredIds } from '../record/ledger.ts'

/** L1: every event answered with 200 is in `/messages` and in every member's syncs, once. */
export const noLostAck: Invariant = {
  name: 'L1',
  title: 'no acknowledged event is lost',
  judge(deeds, { rooms, streams }) {
    const violations: string[] = []
    let checked = 0
    const inRoom = new Map(rooms.map(({ roomId, messages }) => [roomId, tally(messages.map(({ id }) => id))]))
    const inStreams = streams.map(({ user, roomId, events }) => ({
      user,
      roomId,
      counts: tally(events.map(({ id }) => id)),
    }))
    for (const deed of deeds) {
      if (deed.act.act !== 'send' && deed.act.act !== 'state') continue
      const { room } = deed.act
      for (const id of answeredIds(deed)) {
        checked++
        const count = inRoom.get(room)?.get(id) ?? 0
        if (count !== 1) violations.push(`${id} (${deed.act.marker}) is ${count} times in /messages of ${room}`)
        for (const { user, roomId, counts } of inStreams) {
          const given = counts.get(id) ?? 0
          if (roomId === room && given !== 1)
            violations.push(`${id} (${deed.act.marker}) came ${given} times to ${user}`)
        }
      }
    }
    return { checked, violations }
  },
}
