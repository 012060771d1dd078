// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { asksToRedact, redactsTarget } from '@myelin/rules/auth/rules/redaction'
import type { AuthState } from '@myelin/rules/auth/auth-state'
import type { Database, Read, Tx } from '@myelin/storage/engine/database'
import { EVENT_STATUS, eventsById, eventsByNid, markRedacted } from '@myelin/storage/rooms/events/events'
import { redactEventsOf, UNREDACTABLE } from '@myelin/storage/rooms/events/redactions'
import { stateEventNid, versionOfRoom } from '@myelin/storage/rooms/rooms'
import type { OpenRoom } from '@myelin/storage/rooms/rooms'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { loadAuthState, loadStateEvent } from '../../room-state/load-auth-state.ts'
import { roomVersionOf } from '../../room-state/versions.ts'

/** A member event that is being appended, and its position. */
interface Removal {
  readonly event: Pdu
  readonly nid: number
  readonly position: number
}

/**
 * Redacts the last events of a user whose kick or ban asks for it, in the unit that appends the member event.
 * {@link finishRemovals} redacts the others.
 *
 * @param state the state before the member event
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4293
 */
export async function applyRemoval(tx: Tx, { event, nid, position }: Removal, state: AuthState): Promise<void> {
  if (redactsTarget(event, state)) await redactEventsOf(tx, targetOf(event, nid), position)
}

/**
 * Redacts all earlier events of users who were kicked or banned with a request to redact their events. Each unit of work
 * redacts a bounded number, so that other writes run in between. Other events are ignored.
 */
export async function finishRemovals(rt: { readonly db: Database }, events: readonly Pdu[]): Promise<void> {
  const removals = events.filter(asksToRedact)
  if (removals.length === 0) return
  for (const removal of await eventsById(
    rt.db.read,
    removals.map(({ id }) => id),
  )) {
    if (removal.status !== EVENT_STATUS.accepted || removal.position === null) continue
    if (!(await redactsBy(rt.db.read, removal, removal.stateBefore))) continue
    for (let before: number | undefined = removal.position; before !== undefined; ) {
      const from: number = before
      before = await rt.db.write((tx) => redactEventsOf(tx, targetOf(removal.pdu, removal.nid), from))
    }
  }
}

/** Redacts an event that arrives after its sender's kick or ban asked to redact their events. */
export async function applyEarlierRemoval(tx: Tx, room: OpenRoom, event: Pdu, nid: number): Promise<void> {
  if (UNREDACTABLE.has(event.type)) return
  const standing = await loadStateEvent(tx, room.stateRoot, 'm.room.member', event.sender)
  if (!standing || standing.id === event.id || !asksToRedact(standing)) return
  const removalNid = await stateEventNid(tx, room.stateRoot, 'm.room.member', event.sender)
  const removal = removalNid === undefined ? undefined : (await eventsByNid(tx, [removalNid])).get(removalNid)
  // The state before an event that came with a join is unknown.
  if (removal && (await redactsBy(tx, removal, removal.stateBefore || room.stateRoot))) {
    await markRedacted(tx, nid, removal.nid)
  }
}

async function redactsBy(db: Read, { pdu }: StoredEvent, stateRoot: number): Promise<boolean> {
  const version = roomVersionOf(await versionOfRoom(db, pdu.roomId))
  return redactsTarget(pdu, (await loadAuthState(db, stateRoot, pdu, version)).state)
}

function targetOf({ roomId, stateKey }: Pdu, by: number) {
  return { roomId, sender: stateKey as UserId, by }
}
