// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { AuthState } from '../../auth-state.ts'
import { allow, reject, type Verdict } from '../../verdict.ts'

/**
 * Judges `m.room.member` with `membership: leave`, which is a leave, a rejected invite, a kick or an unban: rule 5.5.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules
 */
export function judgeLeave(sender: UserId, target: UserId, state: AuthState): Verdict {
  // 1. If the sender is the target, allow if and only if they are invited, joined or (since version 7) knocking.
  if (sender === target) return mayLeave(state.membershipOf(sender), state) ? allow : reject('leave.not-in-room')

  // 2. If the sender's current membership state is not `join`, reject.
  if (state.membershipOf(sender) !== 'join') return reject('kick.sender-not-joined')

  // 3. If the target is banned and the sender's power level is less than the ban level, reject.
  const power = state.powerOf(sender)
  if (state.membershipOf(target) === 'ban' && power < state.levelFor('ban')) return reject('unban.sender-too-weak')

  // 4. If the sender's power level is at least the kick level, and the target's is lower, allow.
  if (power < state.levelFor('kick')) return reject('kick.sender-too-weak')
  return state.powerOf(target) < power ? allow : reject('kick.target-too-strong')
}

function mayLeave(membership: string, state: AuthState): boolean {
  const mayKnock = state.version.auth.joinRules.includes('knock')
  return membership === 'invite' || membership === 'join' || (mayKnock && membership === 'knock')
}
