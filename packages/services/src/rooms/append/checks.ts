// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import { authorize } from '@myelin/rules/auth/rules/authorize'
import type { Tx } from '@myelin/storage/engine/database'
import { EVENT_STATUS } from '@myelin/storage/rooms/events/events'
import { stateEventNid } from '@myelin/storage/rooms/rooms'
import type { OpenRoom } from '@myelin/storage/rooms/rooms'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { loadAuthState } from '../../room-state/load-auth-state.ts'
import type { Incoming } from './incoming.ts'
import { judgeByAuthEvents } from './judge.ts'

/** An event with everything that its checks read; nothing is fetched from here on. */
export interface Candidate {
  readonly tx: Tx
  readonly room: OpenRoom
  readonly incoming: Incoming
  /** The event itself, where it is stored, and the events that it names. */
  readonly around: ReadonlyMap<EventId, StoredEvent>
  readonly previous: readonly StoredEvent[]
  readonly nid: number
  readonly stateBefore: number
  /** The room is partially joined: the event is judged again when the members are known. */
  readonly isProvisional: boolean
}

interface Check {
  readonly holds: (candidate: Candidate) => Promise<boolean> | boolean
  /** The outcome of an event that fails the check. */
  readonly otherwise: 'rejected' | 'soft-failed'
  /** Skipped for history, which cannot be soft-failed. */
  readonly isForNews?: boolean
  /** Skipped while the current state is not known. */
  readonly needsMembers?: boolean
}

/**
 * The checks of an event whose `prev_events` and `auth_events` are present, in the spec's order; the first that fails
 * decides. The checks that may use the network come before: see `receive-pdus.ts`.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu
 */
const CHECKS: readonly Check[] = [
  { holds: continuesItsRoom, otherwise: 'rejected' },
  { holds: isAllowedByAuthEvents, otherwise: 'rejected' },
  { holds: isAllowedByStateBefore, otherwise: 'rejected' },
  { holds: isAllowedByPolicyServer, otherwise: 'soft-failed', isForNews: true },
  { holds: isAllowedByCurrentState, otherwise: 'soft-failed', isForNews: true, needsMembers: true },
]

/** Returns the outcome of an event by its checks. */
export async function outcomeOf(candidate: Candidate): Promise<'appended' | Check['otherwise']> {
  const isHistory = candidate.incoming.historicPosition !== undefined
  for (const { holds, otherwise, isForNews, needsMembers } of CHECKS) {
    if ((isForNews && isHistory) || (needsMembers && candidate.isProvisional)) continue
    if (!(await holds(candidate))) return otherwise
  }
  return 'appended'
}

/** Returns whether all `prev_events` are of the same room. */
function continuesItsRoom({ previous, incoming }: Candidate): boolean {
  return previous.every((event) => event.pdu.roomId === incoming.pdu.roomId)
}

function isAllowedByAuthEvents({ incoming: { pdu, version }, around }: Candidate): boolean {
  const find = (id: EventId) => {
    const event = around.get(id)
    return event && { pdu: event.pdu, isRejected: event.status === EVENT_STATUS.rejected }
  }
  return judgeByAuthEvents(pdu, version, find).allowed
}

async function isAllowedByStateBefore({ tx, incoming: { pdu, version }, stateBefore }: Candidate): Promise<boolean> {
  const { state } = await loadAuthState(tx, stateBefore, pdu, version)
  return authorize(pdu, state).allowed
}

/** Returns whether the policy server allowed the event; it was queried before, in `recommended.ts`. */
function isAllowedByPolicyServer({ incoming }: Candidate): boolean {
  return incoming.isUnwanted !== true
}

async function isAllowedByCurrentState(candidate: Candidate): Promise<boolean> {
  const { tx, room, nid, stateBefore, incoming } = candidate
  const { pdu, version } = incoming
  if (room.stateRoot === stateBefore) return true
  const { state } = await loadAuthState(tx, room.stateRoot, pdu, version)
  if (authorize(pdu, state).allowed) return true
  // The current state may contain this very event, fetched with the state of another: a leave would forbid itself.
  return pdu.stateKey !== undefined && (await stateEventNid(tx, room.stateRoot, pdu.type, pdu.stateKey)) === nid
}
