// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { ErrorCode } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import type { AuthState } from '@myelin/rules/auth/auth-state'
import type { EventDraft } from './event-draft.ts'

/** A refused event and the state that refused it. */
interface Refused {
  readonly draft: Pick<EventDraft, 'type' | 'sender' | 'stateKey'>
  readonly state: AuthState
}

type Sentence = string | ((refused: Refused) => string)

/**
 * The sentence for each rule of the authorization rules. Clients, bots and bridges compare some of them: see
 * `docs/compatibility.md` before changing one.
 */
const SENTENCES: Readonly<Record<string, Sentence>> = {
  'aliases.no-state-key': 'an alias event needs a state key',
  'aliases.of-another-server': 'an alias event belongs to the server of its sender',
  'auth-events.duplicate': 'the event names an authorization event twice',
  'auth-events.no-create-event': 'the event does not name the create event of the room',
  'auth-events.not-needed': 'the event names an authorization event that it does not need',
  'auth-events.of-another-room': 'the event names an authorization event of another room',
  'ban.sender-not-joined': notInRoom,
  'ban.sender-too-weak': "You don't have permission to ban",
  'ban.target-too-strong': "You don't have permission to ban",
  'create.bad-additional-creators': '`additional_creators` must be a list of user IDs',
  'create.has-previous-events': 'a create event must be the first of its room',
  'create.has-room-id': 'a create event of this room version has no room ID',
  'create.no-creator': 'a create event of this room version needs a `creator`',
  'create.room-of-another-server': 'a create event belongs to the server of its sender',
  'create.unknown-room-version': 'the room version is not supported',
  'invite.sender-not-joined': notInRoom,
  'invite.sender-too-weak': "You don't have permission to invite users",
  'invite.target-banned': 'Cannot invite user who was banned',
  'invite.target-joined': ({ draft }) => `${draft.stateKey} is already in the room.`,
  'join.banned': 'Cannot join user who was banned',
  'join.no-authorising-user': 'You are not invited to this room.',
  'join.not-invited': 'You are not invited to this room.',
  'join.not-public': 'You are not invited to this room.',
  'join.of-another-user': 'Cannot force another user to join.',
  'join.unknown-join-rule': 'You are not allowed to join this room',
  'join.authorising-user-not-joined': 'the user who authorizes the join is not in the room',
  'join.authorising-user-too-weak': 'the user who authorizes the join may not invite users',
  'kick.sender-not-joined': notInRoom,
  'kick.sender-too-weak': ({ draft }) => `You cannot kick user ${draft.stateKey}.`,
  'kick.target-too-strong': ({ draft }) => `You cannot kick user ${draft.stateKey}.`,
  'knock.already-known': "You don't have permission to knock",
  'knock.not-open': "You don't have permission to knock",
  'knock.of-another-user': 'You cannot knock for other users.',
  'leave.not-in-room': notInRoom,
  'member.incomplete': 'a member event needs a state key and a membership',
  'member.not-a-user': 'the state key of a member event must be a user ID',
  'member.unknown-membership': '`membership` must be join, invite, leave, ban or knock',
  'member.authorising-user-not-a-user': '`join_authorised_via_users_server` must be a user ID',
  'power-levels.entry-above-sender': "You don't have permission to add ops level greater than your own",
  'power-levels.level-above-sender': "You don't have permission to add ops level greater than your own",
  'power-levels.user-above-sender': "You don't have permission to add ops level greater than your own",
  'power-levels.user-too-strong': "You don't have permission to remove ops level equal to your own",
  'redaction.sender-too-weak': "You don't have permission to redact events",
  'room.no-create-event': 'the room has no create event',
  'room.not-federated': 'This room has been marked as unfederatable.',
  'room.of-another-create-event': 'the event is of another room than its create event',
  'send.not-joined': notInRoom,
  'send.state-of-another-user': 'You are not allowed to set others state',
  'send.too-weak': tooWeak,
  'third-party-invite.bad-signature': 'the signature of the third-party invite is wrong',
  'third-party-invite.for-another-user': 'the third-party invite is for another user',
  'third-party-invite.not-signed': 'the third-party invite is not signed',
  'third-party-invite.of-another-sender': 'the third-party invite was made by another user',
  'third-party-invite.sender-too-weak': "You don't have permission to invite users",
  'third-party-invite.unknown-token': 'the room has no third-party invite with this token',
  'unban.sender-too-weak': "You don't have permission to unban",
}

/** The rules that refuse because of the target's membership, which bridges distinguish from a lack of power. */
const BAD_STATE: ReadonlySet<string> = new Set(['invite.target-banned', 'join.banned'])

/** Returns the error for a client whose event the authorization rules refuse: `M_FORBIDDEN` or `M_BAD_STATE`, 403. */
export function refusalOf(rule: string, refused: Refused): MatrixError {
  const code: ErrorCode = BAD_STATE.has(rule) ? 'M_BAD_STATE' : 'M_FORBIDDEN'
  return new MatrixError(code, sentenceFor(rule, refused))
}

function sentenceFor(rule: string, refused: Refused): string {
  const sentence = SENTENCES[rule] ?? 'the authorization rules of the room do not allow this event'
  return typeof sentence === 'string' ? sentence : sentence(refused)
}

/** Returns the sentence for a user who is not in a room. */
export function notInRoomText(userId: string): string {
  return `User ${userId} not in room`
}

function notInRoom({ draft }: Refused): string {
  return notInRoomText(draft.sender)
}

function tooWeak({ draft, state }: Refused): string {
  const required = state.levelToSend(draft.type, draft.stateKey !== undefined)
  const power = state.powerOf(draft.sender as UserId)
  return `You don't have permission to post that to the room. user_level (${power}) < send_level (${required})`
}
