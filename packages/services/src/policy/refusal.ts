// SPDX-License-Identifier: Apache-2.0
import { matchGlob } from '@myelin/matrix/glob'
import { stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { policyEntry } from '@myelin/storage/rooms/policy-rulings'
import { loadAuthState } from '../room-state/load-auth-state.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { banOf } from './ban-lists.ts'
import { folded, globFoundIn, hasLink, mentionsIn, textsIn } from './texts.ts'

type Needs = Pick<Runtime, 'db' | 'clock' | 'config' | 'serverName'>

/** An event to judge, and its room's state. */
export interface Asked {
  readonly pdu: Pdu
  readonly version: RoomVersion
  readonly stateRoot: number
}

/** The standing of an event's sender. */
export interface Standing {
  /** Only the ban lists apply to them. */
  readonly isExempt: boolean
  readonly isJoined: boolean
}

/** Returns the standing of an event's sender in the current state of its room. */
export async function standingOf(rt: Needs, { pdu, version, stateRoot }: Asked): Promise<Standing> {
  const { state } = await loadAuthState(rt.db.read, stateRoot, pdu, version)
  return {
    isExempt: state.powerOf(pdu.sender) >= rt.config.policyServer.exemptPower,
    isJoined: state.membershipOf(pdu.sender) === 'join',
  }
}

/**
 * Returns why an event is refused by its content and its sender; undefined where it is not. Rate limits are applied in
 * `recommend.ts`.
 */
export async function refusalOf(rt: Needs, asked: Asked, { isExempt }: Standing): Promise<string | undefined> {
  const { pdu } = asked
  // A banned user may still leave.
  if (isOwnLeave(pdu)) return undefined
  const ban = await banOf(rt, pdu.sender, pdu.roomId)
  if (ban !== undefined) return `the sender is on a ban list of this room's policy server: ${ban}`
  if (isExempt) return undefined
  const { forbiddenTexts, maxMentions } = rt.config.policyServer
  const texts = textsIn(pdu.content)
  if ((await globFoundIn(texts, forbiddenTexts.map(folded))) !== undefined) {
    return 'the event contains words that are forbidden in this room'
  }
  if (maxMentions !== undefined && mentionsIn(pdu.content, texts) > maxMentions) {
    return `the event mentions more than ${maxMentions} users`
  }
  return newcomerRefusal(rt, pdu, texts)
}

/** Returns whether an event is a user's own leave. */
export function isOwnLeave({ type, stateKey, sender, content }: Pdu): boolean {
  return type === 'm.room.member' && stateKey === sender && stringMember(content, 'membership') === 'leave'
}

/** Returns why an event is refused because its sender joined recently; undefined where it is not. */
async function newcomerRefusal(rt: Needs, pdu: Pdu, texts: readonly string[]): Promise<string | undefined> {
  const { forMs, eventTypes, messageTypes, mayLink } = rt.config.policyServer.newcomers
  const messageType = stringMember(pdu.content, 'msgtype')
  const isUnwanted =
    eventTypes.some((glob) => matchGlob(glob, pdu.type)) ||
    (messageType !== undefined && messageTypes.some((glob) => matchGlob(glob, messageType))) ||
    (!mayLink && pdu.type !== 'm.room.member' && hasLink(texts))
  if (forMs === 0 || !isUnwanted) return undefined
  const sinceTs = await policyEntry(rt.db.read, pdu.roomId, pdu.sender)
  const isNew = sinceTs !== undefined && rt.clock.now() - sinceTs < forMs
  return isNew ? 'the sender joined this room too recently to send this event' : undefined
}
