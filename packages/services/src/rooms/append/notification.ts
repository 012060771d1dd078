// SPDX-License-Identifier: Apache-2.0
import { isUserId } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { member, objectMember, stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import type { AuthState } from '@myelin/rules/auth/auth-state'

/** The outcome of the default push rules for an event. */
export interface Notification {
  /** For all users but the sender. */
  readonly notifies: 'no' | 'yes' | 'highlight'
  /** The users who are mentioned by name. */
  readonly highlights: readonly UserId[]
}

const SILENT: Notification = { notifies: 'no', highlights: [] }
// An event holds at most 64 KiB, so more names than this are noise, not mentions.
const MAX_MENTIONS = 200
const ALOUD = new Set([
  'm.room.message',
  'm.room.encrypted',
  'm.call.invite',
  'org.matrix.msc3381.poll.start',
  'org.matrix.msc3381.poll.end',
])
const CALL_NOTIFICATION = 'org.matrix.msc4075.rtc.notification'

/**
 * Evaluates the default push rules, in their order, once for all users: per user they only depend on whether the event
 * mentions them.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#default-override-rules
 */
export function judgeNotification(event: Pdu, state: AuthState): Notification {
  const { content } = event
  // The rules compare without regard to case.
  const type = event.type.toLowerCase()
  if (type === 'm.room.member' || stringMember(content, 'msgtype')?.toLowerCase() === 'm.notice') return SILENT
  const highlights = mentionedUsers(event)
  // A call notification to some users counts as a highlight of theirs, since they are the only ones it notifies.
  if (mentionsRoom(event, state)) return { notifies: type === CALL_NOTIFICATION ? 'yes' : 'highlight', highlights: [] }
  if (type === 'm.room.tombstone' && event.stateKey === '') return { notifies: 'highlight', highlights: [] }
  const relation = objectMember(content, 'm.relates_to')
  const isEdit = relation !== undefined && stringMember(relation, 'rel_type') === 'm.replace'
  return { notifies: ALOUD.has(type) && !isEdit ? 'yes' : 'no', highlights }
}

function mentionedUsers({ content, sender }: Pdu): UserId[] {
  const listed = member(objectMember(content, 'm.mentions') ?? {}, 'user_ids')
  if (!Array.isArray(listed)) return []
  const users = new Set((listed as readonly unknown[]).filter(isUserId))
  users.delete(sender)
  return [...users].slice(0, MAX_MENTIONS)
}

function mentionsRoom({ content, sender }: Pdu, state: AuthState): boolean {
  if (member(objectMember(content, 'm.mentions') ?? {}, 'room') !== true) return false
  return state.powerOf(sender) >= state.powerLevels.toNotify('room')
}
