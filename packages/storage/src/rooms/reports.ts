// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import type { Tx } from '../engine/database.ts'

/** A report to the admins about an event, a room or a user. */
export interface Report {
  readonly reporter: UserId
  readonly about:
    | { readonly roomId: RoomId; readonly eventId: EventId }
    | { readonly roomId: RoomId }
    | { readonly userId: UserId }
  readonly reason: string
  readonly receivedTs: number
}

/** Stores a report for the admins. */
export async function putReport(tx: Tx, { reporter, about, reason, receivedTs }: Report): Promise<void> {
  await tx
    .insertInto('reports')
    .values({
      report_nid: tx.takePosition(),
      reporter,
      room_id: 'roomId' in about ? about.roomId : '',
      event_id: 'eventId' in about ? about.eventId : '',
      target: 'userId' in about ? about.userId : '',
      reason,
      received_ts: receivedTs,
    })
    .execute()
}
