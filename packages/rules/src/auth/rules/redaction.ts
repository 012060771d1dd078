// SPDX-License-Identifier: Apache-2.0
import { type EventId, serverOf } from '@myelin/matrix/ids'
import { member, stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import type { AuthState } from '../auth-state.ts'
import { allow, reject, type Verdict } from '../verdict.ts'

/**
 * Judges `m.room.redaction` in room versions 1 and 2, where the authorization rules decide about redactions.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v1/#authorisation-rules (rule 11)
 */
export function judgeRedaction(event: Pdu, state: AuthState): Verdict {
  // 1. If the sender's power level is at least the redact level, allow.
  if (state.powerOf(event.sender) >= state.levelFor('redact')) return allow

  // 2. If the domains of the two event IDs are the same, allow.
  const isOfOneServer = event.redacts !== undefined && domainOf(event.redacts) === domainOf(event.id)
  return isOfOneServer ? allow : reject('redaction.sender-too-weak')
}

/**
 * Returns whether a redaction takes effect, which since room version 3 is decided once both events are present.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v3/#handling-redactions
 */
export function mayRedact(redaction: Pdu, target: Pdu, state: AuthState): boolean {
  if (redaction.roomId !== target.roomId || redaction.redacts !== target.id) return false
  // In versions 1 and 2 the authorization rules decided already.
  if (state.version.auth.redactionsNeedPower) return judgeRedaction(redaction, state).allowed
  if (state.powerOf(redaction.sender) >= state.levelFor('redact')) return true
  return serverOf(redaction.sender) === serverOf(target.sender)
}

/** The member of a kick's or ban's content that asks to redact the events of its target. */
export const REDACT_EVENTS = 'org.matrix.msc4293.redact_events'

/**
 * Returns whether a member event redacts the events of its target: it is a kick or a ban, asks for it with the value `true`,
 * and its sender may send redactions of others' events.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4293
 */
export function redactsTarget(event: Pdu, state: AuthState): boolean {
  if (!asksToRedact(event)) return false
  const power = state.powerOf(event.sender)
  return power >= state.levelFor('redact') && power >= state.levelToSend('m.room.redaction', false)
}

/** Returns whether an event is a kick or a ban with the request to redact its target's events, by any sender. */
export function asksToRedact({ type, sender, stateKey, content }: Pdu): boolean {
  if (type !== 'm.room.member' || stateKey === undefined || stateKey === sender) return false
  const membership = stringMember(content, 'membership')
  return (membership === 'ban' || membership === 'leave') && member(content, REDACT_EVENTS) === true
}

function domainOf(id: EventId): string | undefined {
  const colon = id.indexOf(':')
  return colon === -1 ? undefined : id.slice(colon + 1)
}
