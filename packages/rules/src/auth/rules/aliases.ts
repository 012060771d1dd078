// SPDX-License-Identifier: Apache-2.0
import { serverOf } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { allow, reject, type Verdict } from '../verdict.ts'

/**
 * Judges `m.room.aliases` in room versions 1 to 5: each server has its own event, whether its users are in the room or
 * not.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v1/#authorisation-rules (rule 4)
 */
export function judgeAliases(event: Pdu): Verdict {
  // 1. If event has no `state_key`, reject.
  if (event.stateKey === undefined) return reject('aliases.no-state-key')

  // 2. If sender's domain doesn't match `state_key`, reject.
  return event.stateKey === serverOf(event.sender) ? allow : reject('aliases.of-another-server')
}
