// SPDX-License-Identifier: Apache-2.0
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import { receiptsBetween } from '@myelin/storage/sync/receipts'
import type { AddressedMessage } from '@myelin/storage/sync/to-device'
import type { AppService } from '../../runtime/app-services.ts'
import { receiptContent } from '../../sync/room-sections/ephemeral.ts'
import type { Stretch } from '../log-follower.ts'
import type { InterestingEvents } from './interesting-events.ts'

/**
 * Returns the receipts that moved in a stretch of the log, in those of these rooms that a service is interested in. Private
 * receipts are those of its own users.
 */
export async function receiptEventsFor(
  db: Read,
  { service, interest }: { readonly service: AppService; readonly interest: InterestingEvents },
  rooms: Iterable<RoomId>,
  { after, upTo }: Stretch,
): Promise<JsonObject[]> {
  const events: JsonObject[] = []
  for (const roomId of rooms) {
    const receipts = await receiptsBetween(db, roomId, after, upTo)
    const shown = receipts.filter(({ kind, userId }) => kind === 'm.read' || service.hasUser(userId))
    if (shown.length === 0 || !(await interest.hasInterestIn(db, roomId))) continue
    events.push({ type: 'm.receipt', room_id: roomId, content: receiptContent(shown) })
  }
  return events
}

/** Returns a message to a device as application services get it: with the user and the device that it is for. */
export function messageForAppService({ message, userId, deviceId }: AddressedMessage): JsonObject {
  return { ...(JSON.parse(message) as JsonObject), to_user_id: userId satisfies UserId, to_device_id: deviceId }
}
