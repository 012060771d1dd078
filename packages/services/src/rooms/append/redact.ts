// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { Pdu } from '@myelin/matrix/pdu'
import { mayRedact } from '@myelin/rules/auth/rules/redaction'
import type { AuthState } from '@myelin/rules/auth/auth-state'
import type { Read, Tx } from '@myelin/storage/engine/database'
import { eventById, eventsByNid, markRedacted } from '@myelin/storage/rooms/events/events'
import { putEarlyRedaction, takeEarlyRedactions } from '@myelin/storage/rooms/events/outliers'
import { versionOfRoom } from '@myelin/storage/rooms/rooms'
import type { EventDraft } from '../drafts/event-draft.ts'
import { loadAuthState } from '../../room-state/load-auth-state.ts'
import { roomVersionOf } from '../../room-state/versions.ts'

/**
 * Applies a redaction where its sender's power level allows it, or the target was sent from the sender's server.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v12/#handling-redactions
 */
export async function applyRedaction(tx: Tx, event: Pdu, nid: number, state: AuthState): Promise<void> {
  if (event.type !== 'm.room.redaction' || event.redacts === undefined) return
  const target = await eventById(tx, event.redacts)
  if (!target) return putEarlyRedaction(tx, event.redacts, nid)
  if (target.pdu.type !== 'm.room.create' && mayRedact(event, target.pdu, state))
    await markRedacted(tx, target.nid, nid)
}

/** Applies the redactions that arrived before the event they redact. */
export async function applyEarlyRedactions(tx: Tx, target: Pdu, nid: number): Promise<void> {
  if (target.type === 'm.room.create') return
  const waiting = await takeEarlyRedactions(tx, target.id)
  for (const redaction of (await eventsByNid(tx, waiting)).values()) {
    if (redaction.pdu.roomId !== target.roomId) continue
    const version = roomVersionOf(await versionOfRoom(tx, target.roomId))
    const { state } = await loadAuthState(tx, redaction.stateBefore, redaction.pdu, version)
    if (mayRedact(redaction.pdu, target, state)) await markRedacted(tx, nid, redaction.nid)
  }
}

/**
 * Refuses a redaction that a user of this server may not make: of an event of another room (`M_NOT_FOUND`), of a create or
 * ACL event, or of another user's event without the power level (`M_FORBIDDEN`).
 */
export async function checkRedaction(db: Read, draft: EventDraft, state: AuthState): Promise<void> {
  if (draft.type !== 'm.room.redaction' || draft.redacts === undefined) return
  const target = await eventById(db, draft.redacts)
  // Other servers may have an event that this one lacks; it is redacted when it arrives.
  const mayRedactAll = state.powerOf(draft.sender) >= state.levelFor('redact')
  if (!target && mayRedactAll) return
  if (!target) throw new MatrixError('M_NOT_FOUND', `Could not find event ${draft.redacts}`)
  if (target.pdu.roomId !== draft.roomId) throw new MatrixError('M_NOT_FOUND', `Could not find event ${draft.redacts}`)
  if (target.pdu.type === 'm.room.create') throw new MatrixError('M_FORBIDDEN', 'the create event cannot be redacted')
  // An empty ACL denies every server, the local one included.
  if (target.pdu.type === 'm.room.server_acl') {
    throw new MatrixError('M_FORBIDDEN', 'Redacting server ACL events is not permitted')
  }
  if (target.pdu.sender !== draft.sender && !mayRedactAll) {
    throw new MatrixError('M_FORBIDDEN', "You don't have permission to redact events")
  }
}
