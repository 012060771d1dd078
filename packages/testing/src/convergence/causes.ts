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
 * The reason for which two servers that are both in the room have different states:
 *
 * - `locked out`: the state of one server does not allow the joined users of the other to send, so it soft-fails their
 * events. The resolution of all events of both excludes them as well. No server sends the excluded server new events.
 * - `kept apart`: the same, but the resolution would include them. No joined user has the forward extremities of both.
 * - `unheard`: as before, but the only users who have both sides are not allowed to send.
 */
export type Cause = 'locked out' | 'kept apart' | 'unheard'

/** After two rounds of messages a further forward extremity means a fork that no event has merged. */
const MAX_EXTREMITIES = 3
const NOBODY: State = new Map()

/**
 * Compares two servers' views of a room. Returns undefined if they agree: equal forward extremities and state, and
 * every event that only one of them shows was soft-failed by the other (lawfully, as `violationsOf` proves), or was
 * sent while the other was out of the room and has no shown successors.
 *
 * Otherwise returns the cause, proven from both databases; throws if there is none.
 */
export function causeOf(one: View, other: View, all: readonly View[]): Cause | undefined {
  const both = [
    [one, other],
    [other, one],
  ] as const
  const names = `${one.server.name} and ${other.server.name}`
  const isSame = both.every(([a, b]) => a.extremities.every((id) => isShown(b, id)))
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
      // An event without successors does not reach servers that were out of the room when it was sent.
      const isMissed = wasAway(b) && !b.ledger.events.has(id) && !past.has(id)
      const isProven = isMissed || isShown(b, id) || b.ledger.events.get(id)?.status === EVENT_STATUS.softFailed
      assert.ok(isProven, `${id} of ${a.server.name} is not at ${b.server.name}`)
    }
    assert.ok(a.extremities.length <= MAX_EXTREMITIES, `${a.server.name} has ${a.extremities.length} heads`)
  }
  return undefined
}

/**
 * Checks that every event that users of one server sent while another server was in the room has arrived there. Exempt
 * are servers that have left by now, and events from before `backTs` while all servers were out of the room. Throws for
 * a missing event.
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

/** Returns whether a server has a right to an event: it was in the room after it, or before it if a member left. */
function concerns({ states, pdus }: StoredRoom, event: StoredEvent, server: ServerName): boolean {
  const roots = event.pdu.type === 'm.room.member' ? [event.stateBefore, event.stateAfter] : [event.stateAfter]
  return roots.some((root) => joinsOf(states.get(root) ?? NOBODY, pdus, server).length > 0)
}

/** Returns whether, by a server's record, none of its users was joined for some time after its first join. */
function wasAway({ ledger, server }: View): boolean {
  const isIn = ledger.been.map(
    (root) => joinsOf(ledger.states.get(root) ?? NOBODY, ledger.pdus, server.name).length > 0,
  )
  return isIn.lastIndexOf(false) > isIn.indexOf(true)
}

/**
 * Returns the objection to a server being locked out of the room as another server has it; undefined if it is locked
 * out.
 *
 * It is, if none of its users may send there, and each of the two has a reason for each event of the other that it does
 * not show: it refused the event, or it was not in the room by the other's state, so the event was not sent to it.
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
    // Events are not sent to a server that is out of the room by the sender's state.
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

/** Returns the ancestors of the shown events: history that only a locked-out server may have. */
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

/** Returns the joined users of a server, by its own state, who may send by the state of another. */
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

/** Returns whether a server would be in the room in the resolution of the two servers' states. */
function isWanted(inside: View, outside: View): boolean {
  const pdus = new Map([...inside.ledger.pdus, ...outside.ledger.pdus])
  const rejected = inside.ledger.rejected.union(outside.ledger.rejected)
  const merged = resolve(inside.ledger.version, [stateOf(inside), stateOf(outside)], pdus, rejected)
  return joinsOf(merged, pdus, outside.server.name).length > 0
}

/**
 * Returns the users who have forward extremities of both servers: an allowed event of theirs could have merged the
 * fork.
 */
function causeAmong(one: View, other: View, all: readonly View[]): Cause {
  const sides = [
    one.extremities.filter((id) => !isShown(other, id)),
    other.extremities.filter((id) => !isShown(one, id)),
  ]
  const knowing = all.filter(({ shown }) => sides.every((extremities) => extremities.some((id) => shown.has(id))))
  for (const witness of knowing) {
    const deaf = [one, other].filter((side) => side !== witness && speakersOf(witness, side).length === 0)
    assert.ok(deaf.length > 0, `${witness.server.name} knows both sides and did not bring them together`)
  }
  return knowing.length > 0 ? 'unheard' : 'kept apart'
}

const isShown = ({ shown }: View, id: EventId) => shown.has(id)

/** Returns whether a server shows an event, or refused it in accordance with the rules, as `violationsOf` proves. */
function isJudged({ ledger, shown }: View, id: EventId): boolean {
  const status = ledger.events.get(id)?.status
  return shown.has(id) || status === EVENT_STATUS.softFailed || status === EVENT_STATUS.rejected
}

const stateOf = ({ ledger }: View): State => ledger.states.get(ledger.been.at(-1) ?? 0) ?? NOBODY

/** Returns the join events of a server's users in a room. */
function joinsOf(state: State, pdus: StoredRoom['pdus'], server: ServerName): EventId[] {
  return [...state].flatMap(([key, id]) => {
    const [type, user] = splitStateKey(key)
    const isOwn = type === 'm.room.member' && serverOf(user as UserId) === server
    return isOwn && pdus.get(id)?.content['membership'] === 'join' ? [id] : []
  })
}

const sorted = (state: View['state']) =>
  Object.fromEntries(Object.entries(state).toSorted(([a], [b]) => (a < b ? -1 : 1)))
