// SPDX-License-Identifier: Apache-2.0
import { isUserId, serverOf } from '@myelin/matrix/ids'
import type { EventId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { judgeAuthEvents } from '@myelin/rules/auth/auth-events'
import { AuthState } from '@myelin/rules/auth/auth-state'
import { authorize } from '@myelin/rules/auth/rules/authorize'
import { stateKey } from '@myelin/rules/auth/state-key'
import { createOfRoomId } from '@myelin/rules/events/event-id'
import { resolve } from '@myelin/rules/state-resolution/resolve'
import { EVENT_STATUS } from '@myelin/storage/rooms/events/events'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import type { StoredRoom, State } from './stored-room.ts'

/**
 * Yields each event whose stored status contradicts the rules.
 *
 * The status is computed anew from the stored events before it, by the steps of the spec's list.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu
 */
export function* violationsOf(ledger: StoredRoom, extremities: readonly EventId[]): Generator<string> {
  const now = ledger.states.get(ledger.been.at(-1) ?? 0) ?? new Map()
  const expected = stateAfterAll(ledger, extremities)
  if (!expected || !areEqual(expected, now)) yield 'the state of the room is not what its heads come to'
  for (const event of ledger.events.values()) {
    const covered = event.position === null ? [] : event.pdu.prevEvents.filter((id) => extremities.includes(id))
    if (covered.length > 0) yield `${event.pdu.id} leads to ${covered.join()}, which are heads`
    for (const breach of breaches(ledger, event)) yield `${event.pdu.id} (${event.pdu.type}): ${breach}`
  }
}

function* breaches(ledger: StoredRoom, event: StoredEvent): Generator<string> {
  const { pdu, status, stateBefore, stateAfter, roomRoot } = event
  const isKnown = stateAfter !== 0
  const before = ledger.states.get(stateBefore) ?? new Map()
  if (isKnown) {
    const expected = stateAfterAll(ledger, pdu.prevEvents)
    if (expected && !areEqual(expected, before)) yield 'the state before it is not what the events before it come to'
  }
  if (!isKnown && isFromOutside(ledger, pdu)) return
  const isAllowed = isAllowedByItsOwn(ledger, pdu) && (!isKnown || isAllowedBy(ledger, pdu, before))
  if (isAllowed !== (status !== EVENT_STATUS.rejected)) yield isAllowed ? 'it is rejected and allowed' : 'it is refused'
  if (status !== EVENT_STATUS.softFailed) return
  if (!ledger.been.includes(roomRoot)) yield 'what it was soft-failed by is no state that the room was in'
  if (isAllowedBy(ledger, pdu, ledger.states.get(roomRoot) ?? new Map())) yield 'it is soft-failed and allowed'
}

/**
 * Returns whether an event sets a membership of a user whose server is not in the room, so that the server lacks the
 * events it depends on: made by others, or by that server when it could reach none.
 */
function isFromOutside({ pdus, server }: StoredRoom, { type, authEvents, stateKey: user, sender }: Pdu): boolean {
  const isOwn = type === 'm.room.member' && isUserId(user) && serverOf(user) === server
  return isOwn && (sender === user || authEvents.some((id) => !pdus.has(id)))
}

/** The state that some events come to; undefined where one of them is not there, or the state after it is not. */
function stateAfterAll(ledger: StoredRoom, ids: readonly EventId[]): State | undefined {
  const roots = new Set<number>()
  for (const id of ids) {
    const root = ledger.events.get(id)?.stateAfter ?? 0
    if (root === 0) return undefined
    roots.add(root)
  }
  const sets = [...roots].map((root) => ledger.states.get(root) ?? new Map())
  return sets.length < 2 ? (sets[0] ?? new Map()) : resolve(ledger.version, sets, ledger.pdus, ledger.rejected)
}

/** Returns whether a state allows an event. */
export function isAllowedBy({ version, pdus }: StoredRoom, event: Pdu, state: State): boolean {
  const get = (key: Parameters<State['get']>[0]) => pdus.get(state.get(key) ?? ('' as EventId))
  return authorize(event, new AuthState(version, { get })).allowed
}

/** Returns whether an event is allowed by the events it names in `auth_events`. */
function isAllowedByItsOwn(ledger: StoredRoom, event: Pdu): boolean {
  const { version, pdus, rejected } = ledger
  const named = event.authEvents.flatMap((id) => (rejected.has(id) ? [] : (pdus.get(id) ?? [])))
  if (named.length < event.authEvents.length || !judgeAuthEvents(event, named, version).allowed) return false
  const state = new Map(named.map(({ type, stateKey: key = '', id }) => [stateKey(type, key), id]))
  // Since room version 12 the room ID identifies the create event.
  if (version.roomIds === 'hash of create event') state.set(stateKey('m.room.create'), createOfRoomId(event.roomId))
  return isAllowedBy(ledger, event, state)
}

/** Returns whether two states are equal. */
function areEqual(one: State, other: State): boolean {
  return one.size === other.size && [...one].every(([key, id]) => other.get(key) === id)
}
