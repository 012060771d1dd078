// SPDX-License-Identifier: Apache-2.0
import type { Invariant } from '../record/invariant.ts'
import type { Observation, SeenEvent } from '../record/observation.ts'

/** L4: following `next_batch` gives everything, in the order of `/messages`; a token from before a crash still does. */
export const syncCompleteness: Invariant = {
  name: 'L4',
  title: 'following next_batch misses nothing, old tokens work',
  judge(_deeds, seen) {
    const violations: string[] = []
    const full = new Map(seen.rooms.map(({ roomId, messages }) => [roomId, marked(messages)]))
    for (const { user, roomId, events } of seen.streams)
      compare(full.get(roomId) ?? [], marked(events), `the stream of ${user} in ${roomId}`, violations)
    for (const { user, roomId, had, events } of seen.resumptions) {
      const before = streamOf(seen, user, roomId).slice(0, had)
      const whole = marked([...before, ...events])
      compare(full.get(roomId) ?? [], whole, `the old token of ${user} in ${roomId}, after ${had}`, violations)
    }
    return { checked: seen.streams.length + seen.resumptions.length, violations }
  },
}

function compare(expected: readonly string[], got: readonly string[], where: string, violations: string[]): void {
  const given = new Set(got)
  const missing = expected.filter((id) => !given.has(id))
  for (const id of missing) violations.push(`${where} lacks ${id}`)
  if (missing.length > 0) return
  const at = expected.findIndex((id, index) => got[index] !== id)
  if (at >= 0) violations.push(`${where} has ${got[at]} where /messages has ${expected[at]}`)
  else if (got.length !== expected.length) violations.push(`${where} has ${got.length - expected.length} too many`)
}

function marked(events: readonly SeenEvent[]): string[] {
  return events.filter(({ marker }) => marker !== undefined).map(({ id }) => id)
}

function streamOf(seen: Observation, user: string, roomId: string): readonly SeenEvent[] {
  return seen.streams.find((stream) => stream.user === user && stream.roomId === roomId)?.events ?? []
}
