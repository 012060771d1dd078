// SPDX-License-Identifier: Apache-2.0
import { erasedUsers } from '@myelin/storage/accounts/accounts'
import type { Read } from '@myelin/storage/engine/database'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'

/**
 * The events among these that are the words of users of ours who wanted them to be erased: messages, and what their
 * member events say of them. What they made of a room, its rules and its name, is the room's.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3accountdeactivate
 */
export async function erasedWords(db: Read, events: readonly StoredEvent[]): Promise<ReadonlySet<StoredEvent>> {
  const words = events.filter(({ pdu }) => pdu.stateKey === undefined || pdu.type === 'm.room.member')
  if (words.length === 0) return new Set()
  const erased = await erasedUsers(db)
  return new Set(words.filter(({ pdu }) => erased.has(pdu.sender)))
}
