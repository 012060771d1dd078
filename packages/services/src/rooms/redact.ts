// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { serverOf } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import type { AuthState } from '@myelin/rules/auth/auth-state'
import type { Read, Tx } from '@myelin/storage/database'
import { eventById, markRedacted } from '@myelin/storage/events'
import type { EventDraft } from './event-draft.ts'

/**
 * A redaction takes effect where its sender's power allows it, or where the target is of the sender's server.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v12/#handling-redactions
 */
export async function applyRedaction(tx: Tx, event: Pdu, nid: number, state: AuthState): Promise<void> {
  if (event.type !== 'm.room.redaction' || event.redacts === undefined) return
  const target = await eventById(tx, event.redacts)
  if (!target || target.pdu.roomId !== event.roomId || target.pdu.type === 'm.room.create') return
  const mayRedact =
    state.powerOf(event.sender) >= state.levelFor('redact') || serverOf(target.pdu.sender) === serverOf(event.sender)
  if (mayRedact) await markRedacted(tx, target.nid, nid)
}

/** Refuses a redaction our own user may not make: of nothing, in another room, or of somebody else's event without the power. */
export async function checkRedaction(db: Read, draft: EventDraft, state: AuthState): Promise<void> {
  if (draft.type !== 'm.room.redaction' || draft.redacts === undefined) return
  const target = await eventById(db, draft.redacts)
  if (!target || target.pdu.roomId !== draft.roomId)
    throw new MatrixError('M_NOT_FOUND', 'there is no such event to redact')
  if (target.pdu.type === 'm.room.create') throw new MatrixError('M_FORBIDDEN', 'the create event cannot be redacted')
  if (target.pdu.sender === draft.sender) return
  if (state.powerOf(draft.sender) < state.levelFor('redact')) {
    throw new MatrixError('M_FORBIDDEN', "redacting other people's events takes more power")
  }
}
