// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { type JsonObject, objectMember, stringMember } from '@myelin/matrix/json'
import type { RoomVersion } from '../room-versions.ts'

/** The part of an event, or of a draft, that decides which auth events it needs. */
export interface NeedsState {
  readonly type: string
  readonly sender: UserId
  readonly stateKey?: string | undefined
  readonly content: JsonObject
}

/** An event type and a state key. */
export type StateKeyPair = readonly [type: string, stateKey: string]

/**
 * Returns the state keys of an event's auth events, each once.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#auth-events-selection
 */
export function neededState(event: NeedsState, version: RoomVersion): readonly StateKeyPair[] {
  if (event.type === 'm.room.create') return []
  const needed: StateKeyPair[] = [
    ['m.room.power_levels', ''],
    ['m.room.member', event.sender],
  ]
  // Since room version 12 the room ID implies the create event.
  if (version.roomIds === 'chosen by server') needed.unshift(['m.room.create', ''])
  if (event.type === 'm.room.member' && event.stateKey !== undefined)
    addForMember(event, event.stateKey, version, needed)
  return needed
}

function addForMember(
  { sender, content }: NeedsState,
  target: string,
  version: RoomVersion,
  needed: StateKeyPair[],
): void {
  const membership = stringMember(content, 'membership')
  if (target !== sender) needed.push(['m.room.member', target])
  if (membership === 'join' || membership === 'invite' || membership === 'knock') needed.push(['m.room.join_rules', ''])
  if (membership === 'invite') {
    const signed = objectMember(objectMember(content, 'third_party_invite') ?? {}, 'signed')
    const token = stringMember(signed ?? {}, 'token')
    if (token !== undefined) needed.push(['m.room.third_party_invite', token])
  }
  const authorisingUser = stringMember(content, 'join_authorised_via_users_server')
  const isRestrictedJoin =
    membership === 'join' && authorisingUser !== undefined && version.auth.joinRules.includes('restricted')
  if (isRestrictedJoin && authorisingUser !== sender && authorisingUser !== target)
    needed.push(['m.room.member', authorisingUser])
}
