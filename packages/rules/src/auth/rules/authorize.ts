// SPDX-License-Identifier: Apache-2.0
import { serverOf } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { judgeAliases } from './aliases.ts'
import type { AuthState } from '../auth-state.ts'
import { judgeCreate } from './create.ts'
import { judgeMember } from './member/member.ts'
import { judgePowerLevels } from './power-levels-change.ts'
import { judgeRedaction } from './redaction.ts'
import { judgeThirdPartyInvite } from '../third-party-invite.ts'
import { allow, reject, type Verdict } from '../verdict.ts'

/**
 * Judges an event by a state, rule by rule in the order of the spec.
 *
 * Signatures are not verified, not even the one that a restricted join needs: that happens on receipt. Nor are the
 * entries of `auth_events`: see `judgeAuthEvents`.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules
 */
export function authorize(event: Pdu, state: AuthState): Verdict {
  const { version } = state
  // 1. If type is `m.room.create`, only its own rules apply.
  if (event.type === 'm.room.create') return judgeCreate(event, version)

  // 2. The room has an accepted create event, and the event is of its room.
  const create = state.get('m.room.create')
  if (!create) return reject('room.no-create-event')
  if (create.roomId !== event.roomId) return reject('room.of-another-create-event')

  // 4. If the create event sets `m.federate` to false and the sender is of another server, reject.
  if (!state.mayFederateWith(serverOf(event.sender))) return reject('room.not-federated')

  // Before version 6: `m.room.aliases` is decided by its state key alone.
  if (event.type === 'm.room.aliases' && version.auth.aliasesBelongToServers) return judgeAliases(event)

  // 5. If type is `m.room.member`, its own rules decide.
  if (event.type === 'm.room.member') return judgeMember(event, state)
  return judgeOthers(event, state)
}

function judgeOthers(event: Pdu, state: AuthState): Verdict {
  // 6. If the sender's current membership state is not `join`, reject.
  if (state.membershipOf(event.sender) !== 'join') return reject('send.not-joined')

  // 7. If type is `m.room.third_party_invite`, the invite level decides.
  if (event.type === 'm.room.third_party_invite') return judgeThirdPartyInvite(event, state)

  // 8. If the event type's required power level is greater than the sender's, reject.
  const required = state.levelToSend(event.type, event.stateKey !== undefined)
  if (required > state.powerOf(event.sender)) return reject('send.too-weak')

  // 9. If the event has a `state_key` that starts with an `@` and does not match the `sender`, reject.
  if (event.stateKey?.startsWith('@') && event.stateKey !== event.sender) return reject('send.state-of-another-user')

  // 10. If type is `m.room.power_levels`, its own rules decide.
  if (event.type === 'm.room.power_levels') return judgePowerLevels(event, state)

  // In versions 1 and 2: if type is `m.room.redaction`, its own rules decide.
  const isGuarded = event.type === 'm.room.redaction' && state.version.auth.redactionsNeedPower
  return isGuarded ? judgeRedaction(event, state) : allow // 11. Otherwise, allow.
}
