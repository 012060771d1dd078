// SPDX-License-Identifier: Apache-2.0
import { isUserId, type ServerName, serverOf } from '@myelin/matrix/ids'
import { objectMember, stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import type { RoomVersion } from '../room-versions.ts'

/**
 * Returns the servers that must have signed an event, each once.
 *
 * An invite that answers a third-party invite may be sent by another server than its sender's, and is judged by the
 * signature inside it instead.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#validating-hashes-and-signatures-on-received-events
 */
export function requiredSigners(event: Pdu, version: RoomVersion): readonly ServerName[] {
  const signers = new Set<ServerName>()
  const membership = event.type === 'm.room.member' ? stringMember(event.content, 'membership') : undefined
  const answersInvite = membership === 'invite' && objectMember(event.content, 'third_party_invite') !== undefined
  if (!answersInvite) signers.add(serverOf(event.sender))

  // Room versions 1 and 2: also the server that chose the event ID.
  if (version.eventIds === 'chosen by server') signers.add(event.id.slice(event.id.indexOf(':') + 1) as ServerName)

  // Since room version 8: also the server of the user who authorizes a restricted join.
  const authorisingUser = stringMember(event.content, 'join_authorised_via_users_server')
  const isVouched = membership === 'join' && version.auth.joinRules.includes('restricted')
  if (isVouched && isUserId(authorisingUser)) signers.add(serverOf(authorisingUser))
  return [...signers]
}
