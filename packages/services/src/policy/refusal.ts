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

/** An event that is to enter a room, and the room as it is. */
export interface Asked {
  readonly pdu: Pdu
  readonly version: RoomVersion
  readonly stateRoot: number
}

/** What was found about who sent an event. */
export interface Standing {
  /** Whether only the ban lists count for them. */
  readonly isExempt: boolean
  readonly isJoined: boolean
}

/** How the sender of an event stands in its room of today. */
export async function standingOf(rt: Needs, { pdu, version, stateRoot }: Asked): Promise<Standing> {
  const { state } = await loadAuthState(rt.db.read, stateRoot, pdu, version)
  return {
    isExempt: state.powerOf(pdu.sender) >= rt.config.policyServer.exemptPower,
    isJoined: state.membershipOf(pdu.sender) === 'join',
  }
}

/**
 * Why an event should not enter its room by what it says and by who says it; undefined where nothing is against it. How
 * much somebody says is another matter: see `recommend.ts`.
 */
export async function refusalOf(rt: Needs, asked: Asked, { isExempt }: Standing): Promise<string | undefined> {
  const { pdu } = asked
  // Whoever is not wanted may go.
  if (isWayOut(pdu)) return undefined
  const ban = await banOf(rt, pdu.sender, pdu.roomId)
  if (ban !== undefined) return `you are on a ban list of this room's policy server: ${ban}`
  if (isExempt) return undefined
  const { forbiddenTexts, maxMentions } = rt.config.policyServer
  const texts = textsIn(pdu.content)
  if ((await globFoundIn(texts, forbiddenTexts.map(folded))) !== undefined) {
    return 'this has words in it that are not wanted here'
  }
  if (maxMentions !== undefined && mentionsIn(pdu.content, texts) > maxMentions) {
    return `this mentions more than ${maxMentions} people`
  }
  return newcomerRefusal(rt, pdu, texts)
}

/** Whether somebody leaves of their own will. */
export function isWayOut({ type, stateKey, sender, content }: Pdu): boolean {
  return type === 'm.room.member' && stateKey === sender && stringMember(content, 'membership') === 'leave'
}

/** What is refused to who came in a short while ago. */
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
  return isNew ? 'who came into this room a short while ago cannot send this yet' : undefined
}
