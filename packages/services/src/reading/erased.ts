// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { erasedUsers } from '@myelin/storage/accounts/accounts'
import type { Read } from '@myelin/storage/engine/database'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { membershipsAt } from './memberships-at.ts'

/**
 * Returns the messages that a user gets redacted: their sender, a local user, was erased, and the user was not joined when
 * they were sent. State events stay whole.
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
