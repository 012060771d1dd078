// SPDX-License-Identifier: Apache-2.0
import { isUserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import type { AuthState } from '../../auth-state.ts'
import { allow, reject, type Verdict } from '../../verdict.ts'

/**
 * Judges `m.room.member` with `membership: join`: rule 5.3.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules
 */
export function judgeJoin(event: Pdu, target: string, state: AuthState): Verdict {
  // 1. If the only previous event is the create event and the state_key is the creator, allow.
  if (isFirstJoin(event, target, state)) return allow

  // 2. If the `sender` does not match `state_key`, reject.
  if (event.sender !== target) return reject('join.of-another-user')

  // 3. If the `sender` is banned, reject.
  const membership = state.membershipOf(target)
  if (membership === 'ban') return reject('join.banned')

  return judgeByJoinRule(event, membership === 'invite' || membership === 'join', state)
}

function judgeByJoinRule(event: Pdu, isExpected: boolean, state: AuthState): Verdict {
  const rule = state.joinRule
  // With a join rule unknown to the version no user may join.
  if (!state.version.auth.joinRules.includes(rule)) return reject('join.unknown-join-rule')
  switch (rule) {
    // 4. If the `join_rule` is `invite` or `knock`, allow if membership is `invite` or `join`.
    case 'invite':
    case 'knock':
      return isExpected ? allow : reject('join.not-invited')
    // 5. If the `join_rule` is `restricted` or `knock_restricted`:
    case 'restricted':
    case 'knock_restricted':
      // 1. If membership state is `join` or `invite`, allow.
      return isExpected ? allow : judgeVoucher(event, state)
    // 6. If the `join_rule` is `public`, allow.
    case 'public':
      return allow
    // 7. Otherwise, reject.
    default:
      return reject('join.not-public')
  }
}

/**
 * 5.2. If the key is not a joined user with sufficient permission to invite, reject. Their server's signature is
 * verified with the other signatures.
 */
function judgeVoucher(event: Pdu, state: AuthState): Verdict {
  const authorisingUser = stringMember(event.content, 'join_authorised_via_users_server')
  if (!isUserId(authorisingUser)) return reject('join.no-authorising-user')
  if (state.membershipOf(authorisingUser) !== 'join') return reject('join.authorising-user-not-joined')
  return state.powerOf(authorisingUser) >= state.levelFor('invite') ? allow : reject('join.authorising-user-too-weak')
}

function isFirstJoin(event: Pdu, target: string, state: AuthState): boolean {
  const create = state.get('m.room.create')
  const [only, ...others] = event.prevEvents
  return create !== undefined && only === create.id && others.length === 0 && state.creators[0] === target
}
