// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { asksToRedact, redactsTarget } from '@myelin/rules/auth/rules/redaction'
import type { AuthState } from '@myelin/rules/auth/auth-state'
import type { Database, Read, Tx } from '@myelin/storage/engine/database'
import { eventsById, eventsByNid, markRedacted } from '@myelin/storage/rooms/events/events'
import { dropOwedRedactions, owedRedactionsOf, putOwedRedactions } from '@myelin/storage/rooms/owed-redactions'
import { redactEventsOf, UNREDACTABLE } from '@myelin/storage/rooms/events/redactions'
import { stateEventNid, versionOfRoom } from '@myelin/storage/rooms/rooms'
import type { OpenRoom } from '@myelin/storage/rooms/rooms'
import type { Nid } from '@myelin/storage/schema/schema'
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
 * The others are owed, and redacted by {@link redactOwed}.
 *
 * @param state the state before the member event
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4293
 */
export async function applyRemoval(tx: Tx, { event, nid, position }: Removal, state: AuthState): Promise<void> {
  if (!redactsTarget(event, state)) return
  const before = await redactEventsOf(tx, targetOf(event, nid), position)
  if (before !== undefined) await putOwedRedactions(tx, nid, before)
}

/** Redacts what the kicks and bans among these events owe, which another node may do at the same time. */
export async function finishRemovals(rt: { readonly db: Database }, events: readonly Pdu[]): Promise<void> {
  const removals = events.filter(asksToRedact)
  if (removals.length === 0) return
  const ids = removals.map(({ id }) => id)
  for (const { nid } of await eventsById(rt.db.read, ids)) await redactOwed(rt, nid)
}

/** Redacts what a kick or ban owes. Each unit of work redacts a bounded number, so that other writes run in between. */
export async function redactOwed(rt: { readonly db: Database }, removal: Nid, term?: AbortSignal): Promise<void> {
  for (let isDone = false; !isDone && !term?.aborted; ) isDone = await rt.db.write((tx) => redactSome(tx, removal))
}

/** Returns whether nothing is owed any more. */
async function redactSome(tx: Tx, removal: Nid): Promise<boolean> {
  const from = await owedRedactionsOf(tx, removal)
  if (from === undefined) return true
  const stored = (await eventsByNid(tx, [removal])).get(removal)
  const before = stored && (await redactEventsOf(tx, targetOf(stored.pdu, removal), from))
  if (before === undefined) await dropOwedRedactions(tx, removal)
  else await putOwedRedactions(tx, removal, before)
  return before === undefined
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
