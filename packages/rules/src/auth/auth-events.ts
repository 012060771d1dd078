// SPDX-License-Identifier: Apache-2.0
import type { Pdu } from '@myelin/matrix/pdu'
import type { RoomVersion } from '../room-versions.ts'
import { neededState } from './needed-state.ts'
import { stateKey } from './state-key.ts'
import { allow, reject, type Verdict } from './verdict.ts'

/**
 * Judges an event's `auth_events` by rule 3, except for rejected entries, which the caller knows.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules
 */
export function judgeAuthEvents(event: Pdu, authEvents: readonly Pdu[], version: RoomVersion): Verdict {
  if (event.type === 'm.room.create') return allow
  const needed = new Set(neededState(event, version).map(([type, key]) => stateKey(type, key)))
  const seen = new Set<string>()
  for (const entry of authEvents) {
    const key = entry.stateKey === undefined ? undefined : stateKey(entry.type, entry.stateKey)
    // 1. If there are duplicate entries for a given `type` and `state_key` pair, reject.
    if (key !== undefined && seen.has(key)) return reject('auth-events.duplicate')
    // 2. If there are entries which the selection does not name, reject.
    if (key === undefined || !needed.has(key)) return reject('auth-events.not-needed')
    // 5. If any entry is of another room, reject.
    if (entry.roomId !== event.roomId) return reject('auth-events.of-another-room')
    seen.add(key)
  }
  // 4. Before version 12: if there is no `m.room.create` event among the entries, reject.
  const needsCreate = version.roomIds === 'chosen by server'
  return needsCreate && !seen.has(stateKey('m.room.create')) ? reject('auth-events.no-create-event') : allow
}
