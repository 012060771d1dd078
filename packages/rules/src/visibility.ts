// SPDX-License-Identifier: Apache-2.0
import { stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'

/** The part of an event that decides its visibility. */
export type SeenEvent = Pick<Pdu, 'type' | 'stateKey' | 'content'>

/** A user's view of an event, by the state before it. */
export interface UserView {
  readonly event: SeenEvent
  readonly userId: string
  /** `history_visibility` in the state before the event. */
  readonly visibility: string | undefined
  /** The user's membership in the state before the event. */
  readonly membership: string | undefined
  /** The user joined after the event. */
  readonly joinedLater: boolean
}

/** A server's view of an event. */
export interface ServerView {
  readonly event: SeenEvent
  readonly serverName: string
  readonly visibility: string | undefined
  /** The memberships that the server's users had in the state before the event. */
  readonly memberships: Iterable<string>
}

/**
 * Returns whether a user may see an event. Changes by the event itself count before and after, so that users see the
 * change of the visibility and their own join or leave.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#room-history-visibility
 */
export function mayUserSee(view: UserView): boolean {
  const memberships = [view.membership]
  if (isOf(view.event, 'm.room.member', view.userId)) memberships.push(stringMember(view.event.content, 'membership'))
  return visibilitiesOf(view).some((visibility) =>
    memberships.some((each) => isOpen(visibility, each, view.joinedLater)),
  )
}

/**
 * Returns whether a server may have an event in full instead of redacted. A server in the room may have shared
 * history, because its users may have joined since.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#backfilling-and-retrieving-missing-events
 */
export function mayServerSee(view: ServerView): boolean {
  const memberships: (string | undefined)[] = [undefined, ...view.memberships]
  const { event } = view
  const isOfItsUser =
    event.type === 'm.room.member' && event.stateKey?.slice(event.stateKey.indexOf(':') + 1) === view.serverName
  if (isOfItsUser) memberships.push(stringMember(event.content, 'membership'))
  return visibilitiesOf(view).some((visibility) => memberships.some((each) => isOpen(visibility, each, true)))
}

/** Returns whether an event is world readable, for guests and peeking users. */
export function isWorldReadable(visibility: string | undefined): boolean {
  return visibility === 'world_readable'
}

/** Returns the visibility before the event, and after it where the event changes it. */
function visibilitiesOf({ event, visibility }: UserView | ServerView): (string | undefined)[] {
  if (!isOf(event, 'm.room.history_visibility', '')) return [visibility]
  return [visibility, stringMember(event.content, 'history_visibility')]
}

function isOpen(visibility: string | undefined, membership: string | undefined, joinedLater: boolean): boolean {
  switch (visibility ?? 'shared') {
    case 'world_readable': // 1.
      return true
    case 'joined': // 2.
      return membership === 'join'
    case 'invited': // 4.
      return membership === 'join' || membership === 'invite'
    default: // 3. `shared` is also what holds where nothing is set or understood.
      return membership === 'join' || joinedLater
  }
}

function isOf(event: SeenEvent, type: string, stateKey: string): boolean {
  return event.type === type && event.stateKey === stateKey
}
