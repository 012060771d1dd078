// SPDX-License-Identifier: Apache-2.0
import type { Json } from '@myelin/matrix/json'
import type { RoomId } from '@myelin/matrix/ids'
import type { PushOutcome } from '@myelin/rules/push/evaluate'
import { tweaksOf } from './push-judge.ts'

/** An event to push to a user. */
export interface PendingPush {
  readonly nid: number
  readonly position: number
  readonly roomId: RoomId
  readonly tweaks: Readonly<Record<string, Json>>
}

/** Returns the push of an event with the outcome of the user's rules. */
export function pendingPush(
  event: { readonly nid: number; readonly position: number | null; readonly pdu: { readonly roomId: RoomId } },
  position: number,
  outcome: PushOutcome,
): PendingPush {
  return { nid: event.nid, position, roomId: event.pdu.roomId, tweaks: tweaksOf(outcome) }
}
