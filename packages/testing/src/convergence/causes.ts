// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { serverOf } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import type { EventId, ServerName, UserId } from '@myelin/matrix/ids'
import { splitStateKey } from '@myelin/rules/auth/state-key'
import { resolve } from '@myelin/rules/state-resolution/resolve'
import { EVENT_STATUS } from '@myelin/storage/rooms/events/events'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import type { View } from './agreement.ts'
import { isAllowedBy } from './room-invariants.ts'
import type { StoredRoom, State } from './stored-room.ts'

/**
 * Why two servers, both in the room as they see it, see two rooms:
 *
 * - `locked out`: those by whom one is in it may not speak as the other has it, so that their words are soft-failed there,
 *   and the room with all events of both would not have them either; it is not told what happens in a room that it is not in.
 * - `kept apart`: the same, but with all events they would be in; nobody who knows both sides is left to speak.
 * - `unheard`: the same, and who knows both sides speaks, but only by the words of those who may not.
 */
export type Cause = 'locked out' | 'kept apart' | 'unheard'

/** After everybody spoke twice, a head more is a fork nobody closed. */
const MAX_HEADS = 3
const NOBODY: State = new Map()

/**
 * Two servers have the same room: the same heads and the same state; what one shows and the other does not is
 * soft-failed there, which `violationsOf` proves to be the invariants, or was said while that was out of the room, and nothing that
 * it shows follows it. Answers undefined then. Where they have not, answers the
 * cause, proven from what is on their disks; throws where none is.
 */
export function causeOf(one: View, other: View, all: readonly View[]): Cause | undefined {
  const both = [
    [one, other],
    [other, one],
  ] as const
  const names = `${one.server.name} and ${other.server.name}`
  const isSame = both.every(([a, b]) => a.heads.every((id) => isShown(b, id)))
  if (!isSame) {
    const doubts: string[] = []
    for (const [inside, outside] of both) {
      const doubt = doubtOf(inside, outside)
      if (doubt === undefined) return isWanted(inside, outside) ? causeAmong(inside, outside, all) : 'locked out'
      doubts.push(doubt)
    }
    assert.fail(`${names} see two rooms, and nothing explains it: ${doubts.join('; ')}`)
  }
  assert.deepEqual(sorted(one.state), sorted(other.state), `the state on ${names}`)
  for (const [a, b] of both) {
    const past = pastOf(b, a.ledger.pdus)
    for (const id of a.shown) {
      // What nothing leads to, nobody brings to who was out when it was said.
      const isMissed = wasAway(b) && !b.ledger.events.has(id) && !past.has(id)
      const isProven = isMissed || isShown(b, id) || b.ledger.events.get(id)?.status === EVENT_STATUS.softFailed
      assert.ok(isProven, `${id} of ${a.server.name} is not at ${b.server.name}`)
    }
    assert.ok(a.heads.length <= MAX_HEADS, `${a.server.name} has ${a.heads.length} heads`)
  }
  return undefined
}

/**
 * Whatever servers see, and whoever spoke last: what users of one said while another was in the room has arrived there,
 * unless nobody there is in it any more, or all were out of it for a while before `backTs`. Throws where it has not.
 */
export function everythingArrived(views: readonly View[], backTs: number): void {
  for (const from of views) for (const to of views) if (to !== from && to.joined.length > 0) arrivedAt(from, to, backTs)
}

function arrivedAt(from: View, to: View, backTs: number): void {
  for (const event of from.ledger.events.values()) {
    const isOwn = event.position !== null && serverOf(event.pdu.sender) === from.server.name
    if (!isOwn || to.ledger.events.has(event.pdu.id)) continue
    if (event.pdu.originServerTs < backTs && wasAway(to)) continue
    assert.ok(!concerns(from.ledger, event, to.server.name), `${event.pdu.id} did not reach ${to.server.name}`)
  }
}

/** Whether an event is for a server: it was in the room after it; or before it, where somebody left. */
function concerns({ states, pdus }: StoredRoom, event: StoredEvent, server: ServerName): boolean {
  const roots = event.pdu.type === 'm.room.member' ? [event.stateBefore, event.stateAfter] : [event.stateAfter]
  return roots.some((root) => joinsOf(states.get(root) ?? NOBODY, pdus, server).length > 0)
}

/** Whether a server saw the room without anybody of its own after its first entry. */
function wasAway({ ledger, server }: View): boolean {
  const isIn = ledger.been.map(
    (root) => joinsOf(ledger.states.get(root) ?? NOBODY, ledger.pdus, server.name).length > 0,
  )
  return isIn.lastIndexOf(false) > isIn.indexOf(true)
}

/**
 * Why a server may not count as locked out of the room that another has; undefined where it does: none of its people
 * may speak there, and each of the two has a reason for all that it does not show of the other's: it judged it, and did
 * not want it; or it was not there, as the other saw the room, and so was not told.
 */
function doubtOf(inside: View, outside: View): string | undefined {
  const { server } = outside
  const joins = joinsOf(stateOf(outside), outside.ledger.pdus, server.name)
  const [speaker] = speakersOf(outside, inside)
  if (speaker !== undefined) return `${speaker} may speak in the room that ${inside.server.name} has`
  const past = pastOf(inside, outside.ledger.pdus)
  for (const id of joins) if (!isJudged(inside, id)) return `${id} was not judged`
  for (const event of outside.ledger.events.values()) {
    const { position, pdu } = event
    const isUnseen = position !== null && !isJudged(inside, pdu.id) && !past.has(pdu.id)
    // Who is out of the room as it is seen there is not told.
    if (isUnseen && concerns(outside.ledger, event, inside.server.name))
      return `${pdu.id} of the room that ${server.name} has was not judged`
  }
  for (const event of inside.ledger.events.values()) {
    const isUnseen = event.position !== null && !isJudged(outside, event.pdu.id)
    if (isUnseen && concerns(inside.ledger, event, server.name) && !wasAway(outside)) {
      return `${event.pdu.id} was for ${server.name}`
    }
  }
  return undefined
}

/** What lies before the events that a server shows: history that who is locked out may be the only one to have. */
function pastOf({ shown, ledger }: View, others: StoredRoom['pdus']): ReadonlySet<EventId> {
  const past = new Set<EventId>()
  const open = [...shown]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const before of (ledger.pdus.get(id) ?? others.get(id))?.prevEvents ?? []) {
      if (past.has(before)) continue
      past.add(before)
      open.push(before)
    }
  }
  return past
}

/** Those of a server's people in the room, as it sees it, whom the state that another server has lets speak. */
function speakersOf(view: View, listener: View): string[] {
  const { pdus } = view.ledger
  return joinsOf(stateOf(view), pdus, view.server.name).flatMap((id) => {
    const joined = pdus.get(id)
    if (!joined) return []
    const { stateKey: sender = '', ...rest } = joined
    const word: Pdu = { ...rest, type: 'm.room.message', sender: sender as UserId, content: {} }
    return isAllowedBy(listener.ledger, word, stateOf(listener)) ? [sender] : []
  })
}

/** Whether a server would be in the room if somebody knew the events of both, and had to resolve the two states. */
function isWanted(inside: View, outside: View): boolean {
  const pdus = new Map([...inside.ledger.pdus, ...outside.ledger.pdus])
  const rejected = inside.ledger.rejected.union(outside.ledger.rejected)
  const merged = resolve(inside.ledger.version, [stateOf(inside), stateOf(outside)], pdus, rejected)
  return joinsOf(merged, pdus, outside.server.name).length > 0
}

/** Who has heads of both that the other does not have could have brought them together by a word that is heard. */
function causeAmong(one: View, other: View, all: readonly View[]): Cause {
  const sides = [one.heads.filter((id) => !isShown(other, id)), other.heads.filter((id) => !isShown(one, id))]
  const knowing = all.filter(({ shown }) => sides.every((heads) => heads.some((id) => shown.has(id))))
  for (const witness of knowing) {
    const deaf = [one, other].filter((side) => side !== witness && speakersOf(witness, side).length === 0)
    assert.ok(deaf.length > 0, `${witness.server.name} knows both sides and did not bring them together`)
  }
  return knowing.length > 0 ? 'unheard' : 'kept apart'
}

const isShown = ({ shown }: View, id: EventId) => shown.has(id)

/** Shown, or soft-failed or rejected, and lawfully so: `violationsOf` has nothing to say of it. */
function isJudged({ ledger, shown }: View, id: EventId): boolean {
  const status = ledger.events.get(id)?.status
  return shown.has(id) || status === EVENT_STATUS.softFailed || status === EVENT_STATUS.rejected
}

const stateOf = ({ ledger }: View): State => ledger.states.get(ledger.been.at(-1) ?? 0) ?? NOBODY

/** The events by which users of a server are in a room. */
function joinsOf(state: State, pdus: StoredRoom['pdus'], server: ServerName): EventId[] {
  return [...state].flatMap(([key, id]) => {
    const [type, user] = splitStateKey(key)
    const isOwn = type === 'm.room.member' && serverOf(user as UserId) === server
    return isOwn && pdus.get(id)?.content['membership'] === 'join' ? [id] : []
  })
}

const sorted = (state: View['state']) =>
  Object.fromEntries(Object.entries(state).toSorted(([a], [b]) => (a < b ? -1 : 1)))
