// SPDX-License-Identifier: Apache-2.0
import { erasedUsers } from '@myelin/storage/accounts/accounts'
import type { Read } from '@myelin/storage/engine/database'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'

/**
 * Returns the events of local users who requested erasure: messages, and the profile in their member events. State
 * such as a room's name stays, because it belongs to the room.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3accountdeactivate
 */
export async function erasedWords(db: Read, events: readonly StoredEvent[]): Promise<ReadonlySet<StoredEvent>> {
  const words = events.filter(({ pdu }) => pdu.stateKey === undefined || pdu.type === 'm.room.member')
  if (words.length === 0) return new Set()
  const erased = await erasedUsers(db)
  return new Set(words.filter(({ pdu }) => erased.has(pdu.sender)))
}
