// SPDX-License-Identifier: Apache-2.0
import { member } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import type { AuthState } from '../../auth-state.ts'
import { judgeThirdPartyAnswer } from '../../third-party-invite.ts'
import { allow, reject, type Verdict } from '../../verdict.ts'

/**
 * Judges `m.room.member` with `membership: invite`: rule 5.4.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules
 */
export function judgeInvite(event: Pdu, target: string, state: AuthState): Verdict {
  // 1. If `content` has a `third_party_invite` property, that decides.
  const answer = member(event.content, 'third_party_invite')
  if (answer !== undefined) return judgeThirdPartyAnswer(event, target, answer, state)

  // 2. If the sender's current membership state is not `join`, reject.
  if (state.membershipOf(event.sender) !== 'join') return reject('invite.sender-not-joined')

  // 3. If the target's current membership state is `join` or `ban`, reject.
  const membership = state.membershipOf(target)
  if (membership === 'join') return reject('invite.target-joined')
  if (membership === 'ban') return reject('invite.target-banned')

  // 4. If the sender's power level is at least the invite level, allow.
  return state.powerOf(event.sender) >= state.levelFor('invite') ? allow : reject('invite.sender-too-weak')
}
