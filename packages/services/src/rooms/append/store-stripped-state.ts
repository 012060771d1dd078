// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { accountOf } from '@myelin/storage/accounts/accounts'
import type { Tx } from '@myelin/storage/engine/database'
import { membershipIn, putStrippedState } from '@myelin/storage/rooms/members/members'
import type { OpenRoom } from '@myelin/storage/rooms/rooms'
import { strippedStateOf } from '../../room-state/stripped-state.ts'

/**
 * Stores the stripped state of an invite or knock of a local user by an event of another server, in a room
 * that this server is in. Elsewhere the stripped state arrives with the invite itself.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#stripped-state
 */
export async function storeStrippedState(tx: Tx, room: OpenRoom, pdu: Pdu, nid: number): Promise<void> {
  const user = pdu.stateKey as UserId | undefined
  if (pdu.type !== 'm.room.member' || user === undefined) return
  const membership = stringMember(pdu.content, 'membership')
  if (membership !== 'invite' && membership !== 'knock') return
  // Only local users read it; and after a merge of extremities another member event may be the current one.
  if (!(await accountOf(tx, user)) || (await membershipIn(tx, room.id, user))?.eventNid !== nid) return
  const shown = await strippedStateOf(tx, room.stateRoot, pdu)
  await putStrippedState(tx, room.id, user, JSON.stringify(shown))
}
