// SPDX-License-Identifier: Apache-2.0
import { isUserId } from '@myelin/matrix/ids'
import { member, stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import type { AuthState } from '../../auth-state.ts'
import { reject, type Verdict } from '../../verdict.ts'
import { judgeBan } from './ban.ts'
import { judgeInvite } from './invite.ts'
import { judgeJoin } from './join.ts'
import { judgeKnock } from './knock.ts'
import { judgeLeave } from './leave.ts'

/**
 * Judges `m.room.member`: rule 5.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules
 */
export function judgeMember(event: Pdu, state: AuthState): Verdict {
  // 1. If there is no `state_key` property, or no `membership` property in `content`, reject.
  const target = event.stateKey
  const membership = stringMember(event.content, 'membership')
  if (target === undefined || membership === undefined) return reject('member.incomplete')
  if (!isUserId(target)) return reject('member.not-a-user')

  // 2. `join_authorised_via_users_server` is a user ID; their server's signature is verified with the other
  // signatures.
  const authorisingUser = member(event.content, 'join_authorised_via_users_server')
  if (
    state.version.auth.joinRules.includes('restricted') &&
    authorisingUser !== undefined &&
    !isUserId(authorisingUser)
  ) {
    return reject('member.authorising-user-not-a-user')
  }

  switch (membership) {
    case 'join': // 3.
      return judgeJoin(event, target, state)
    case 'invite': // 4.
      return judgeInvite(event, target, state)
    case 'leave': // 5.
      return judgeLeave(event.sender, target, state)
    case 'ban': // 6.
      return judgeBan(event.sender, target, state)
    case 'knock': // 7.
      return judgeKnock(event.sender, target, state)
    default: // 8. Otherwise, the membership is unknown. Reject.
      return reject('member.unknown-membership')
  }
}
