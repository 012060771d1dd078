// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { erasedUsers } from '@myelin/storage/accounts/accounts'
import type { Read } from '@myelin/storage/engine/database'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { membershipsAt } from './memberships-at.ts'

/**
 * The messages among these, and those beside them, that a user gets as a redaction would leave them: their sender, one of ours, had them erased,
 * and the user was not in the room when they were sent. State is the room's, and stays whole.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3accountdeactivate
 */
export async function prunedFor(
  db: Read,
  events: Iterable<StoredEvent>,
  user: UserId,
  beside: Iterable<StoredEvent> = [],
): Promise<ReadonlySet<StoredEvent>> {
  const erased = await erasedUsers(db)
  if (erased.size === 0) return none
  const words = [...events, ...beside].filter(({ pdu }) => pdu.stateKey === undefined && erased.has(pdu.sender))
  const memberships = await membershipsAt(db, words, user)
  return new Set(words.filter(({ nid }) => memberships.get(nid) !== 'join'))
}

const none: ReadonlySet<StoredEvent> = new Set()
