// SPDX-License-Identifier: Apache-2.0
import type { Invariant } from '../record/invariant.ts'
import { isAcknowledged } from '../record/ledger.ts'

/** L3: every event was attempted, in its room; an unacknowledged event exists completely or not at all. */
export const noPhantom: Invariant = {
  name: 'L3',
  title: 'no event without a sender, no event half present',
  judge(deeds, { rooms, streams, lookups }) {
    const violations: string[] = []
    const attempted = new Map<string, string>()
    const open = new Set<string>()
    for (const deed of deeds) {
      if (deed.act.act !== 'send' && deed.act.act !== 'state') continue
      attempted.set(deed.act.marker, deed.act.room)
      if (!isAcknowledged(deed)) open.add(deed.act.marker)
    }
    let checked = 0
    const markers = new Map<string, string | undefined>()
    for (const { roomId, messages, state } of rooms) {
      const here = new Set(messages.map(({ id }) => id))
      for (const { id, marker } of messages) {
        checked++
        markers.set(id, marker)
        if (marker !== undefined && attempted.get(marker) !== roomId)
          violations.push(`${id} in ${roomId} has ${marker}, which was never sent there`)
      }
      for (const { id } of state) if (!here.has(id)) violations.push(`${id} is in /state but not in /messages`)
    }
    for (const { user, roomId, events } of streams) {
      const given = new Set(events.map(({ id }) => id))
      for (const id of given) if (!markers.has(id)) violations.push(`${id} came to ${user} but is not in /messages`)
      for (const { id, marker } of rooms.find((room) => room.roomId === roomId)?.messages ?? []) {
        if (marker !== undefined && open.has(marker) && !given.has(id))
          violations.push(`${id} (${marker}, unanswered) is in /messages but did not come to ${user}`)
      }
    }
    for (const { eventId, event, context } of lookups) {
      const marker = markers.get(eventId)
      if (event !== marker) violations.push(`/event has ${event} for ${eventId}, /messages has ${marker}`)
      if (context !== marker) violations.push(`/context has ${context} for ${eventId}, /messages has ${marker}`)
    }
    return { checked: checked + lookups.length, violations }
  },
}
