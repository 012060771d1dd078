// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { AuthState } from '../../auth-state.ts'
import { allow, reject, type Verdict } from '../../verdict.ts'

/**
 * Judges `m.room.member` with `membership: knock`, since room version 7: rule 5.7.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules
 */
export function judgeKnock(sender: UserId, target: string, state: AuthState): Verdict {
  const { joinRules } = state.version.auth
  if (!joinRules.includes('knock')) return reject('member.unknown-membership')

  // 1. If the `join_rule` is anything other than `knock` or (since version 10) `knock_restricted`, reject.
  const rule = state.joinRule
  const isOpen = rule === 'knock' || (rule === 'knock_restricted' && joinRules.includes(rule))
  if (!isOpen) return reject('knock.not-open')

  // 2. If `sender` does not match `state_key`, reject.
  if (sender !== target) return reject('knock.of-another-user')

  // 3. If the sender's current membership is not `ban`, `invite` or `join`, allow.
  const membership = state.membershipOf(sender)
  const isKnown = membership === 'ban' || membership === 'invite' || membership === 'join'
  return isKnown ? reject('knock.already-known') : allow
}
