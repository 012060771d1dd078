// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { AuthState } from '../../auth-state.ts'
import { allow, reject, type Verdict } from '../../verdict.ts'

/**
 * Judges `m.room.member` with `membership: ban`: rule 5.6.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules
 */
export function judgeBan(sender: UserId, target: UserId, state: AuthState): Verdict {
  // 1. If the sender's current membership state is not `join`, reject.
  if (state.membershipOf(sender) !== 'join') return reject('ban.sender-not-joined')

  // 2. If the sender's power level is at least the ban level, and the target's is lower, allow.
  const power = state.powerOf(sender)
  if (power < state.levelFor('ban')) return reject('ban.sender-too-weak')
  return state.powerOf(target) < power ? allow : reject('ban.target-too-strong')
}
