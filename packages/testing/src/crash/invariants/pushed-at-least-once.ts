// SPDX-License-Identifier: Apache-2.0
import type { Invariant } from '../record/invariant.ts'

/**
 * L10: every message in a room is pushed to the pushers of its members at least once, but not to its sender; nothing is pushed
 * that is in no room.
 */
export const pushedAtLeastOnce: Invariant = {
  name: 'L10',
  title: 'each message is pushed, and nothing else',
  judge(deeds, { rooms, pushes }) {
    const violations: string[] = []
    let checked = 0
    const senders = new Map(deeds.flatMap(({ act, user }) => (act.act === 'send' ? [[act.marker, user]] : [])))
    const known = new Set(rooms.flatMap(({ messages }) => messages.map(({ id }) => id)))
    for (const { user, events } of pushes) {
      const pushed = new Set(events)
      for (const id of pushed) if (!known.has(id)) violations.push(`${id} was pushed to ${user} and is in no room`)
      for (const { messages, members } of rooms) {
        for (const { id, type, marker = '' } of messages) {
          if (type !== 'm.room.message') continue
          checked++
          const isOwed = members.includes(user) && senders.get(marker) !== user
          if (isOwed && !pushed.has(id)) violations.push(`${id} (${marker}) was not pushed to ${user}`)
          if (!isOwed && pushed.has(id)) violations.push(`${id} (${marker}) was pushed to ${user}, who is not owed it`)
        }
      }
    }
    return { checked, violations }
  },
}
