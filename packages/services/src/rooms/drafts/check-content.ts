// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { ServerName } from '@myelin/matrix/ids'
import { isObject, member, stringMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { isServerAllowed } from '@myelin/rules/server-acl'
import type { EventDraft } from './event-draft.ts'

type CheckedDraft = Pick<EventDraft, 'type' | 'stateKey' | 'content'>

/**
 * Checks an event of a user of this server beyond the authorization rules, whichever request it comes by: `/send`, `/state`,
 * or the initial state of a room. Throws `M_BAD_JSON`, or `M_FORBIDDEN` for a second create event.
 */
export function checkContent(serverName: ServerName, { type, stateKey, content }: CheckedDraft): void {
  if (type === 'm.room.create') throw new MatrixError('M_FORBIDDEN', 'a room has one create event')
  checkMentions(member(content, 'm.mentions'))
  if (stateKey !== undefined) checkState(serverName, type, stateKey, content)
  if (type === 'm.room.message' && stateKey === undefined) {
    const isWhole = stringMember(content, 'msgtype') !== undefined && stringMember(content, 'body') !== undefined
    if (!isWhole) throw new MatrixError('M_BAD_JSON', 'a message needs a msgtype and a body')
  }
  if (type === 'm.room.power_levels') checkLevels(content)
}

/** @see https://spec.matrix.org/v1.19/client-server-api/#user-and-room-mentions */
function checkMentions(mentions: Json | undefined): void {
  if (mentions === undefined) return
  if (!isObject(mentions)) throw new MatrixError('M_BAD_JSON', '`m.mentions` must be an object')
  const [users, room] = [member(mentions, 'user_ids'), member(mentions, 'room')]
  if (users !== undefined && !(Array.isArray(users) && users.every((user) => typeof user === 'string')))
    throw new MatrixError('M_BAD_JSON', '`user_ids` of `m.mentions` must be a list of strings')
  if (room !== undefined && typeof room !== 'boolean')
    throw new MatrixError('M_BAD_JSON', '`room` of `m.mentions` must be a boolean')
}

function checkState(serverName: ServerName, type: string, stateKey: string, content: JsonObject): void {
  if (type === 'm.room.member') checkMemberProfile(content)
  if (stateKey !== '') return
  if (type === 'm.room.encryption' && stringMember(content, 'algorithm') === undefined) {
    throw new MatrixError('M_BAD_JSON', 'encryption needs an algorithm')
  }
  // Such an ACL could not be undone from here: no other server would accept an event of this server.
  if (type === 'm.room.server_acl' && !isServerAllowed(serverName, content)) {
    throw new MatrixError('M_BAD_JSON', 'the server ACL denies the local server')
  }
}

/** Checks the display name and avatar of a member event against the limits of a profile. */
function checkMemberProfile(content: JsonObject): void {
  for (const [key, most] of Object.entries(MAX_CHARACTERS)) {
    const value = member(content, key)
    if (typeof value === 'string' && Array.from(value).length > most) {
      throw new MatrixError('M_BAD_JSON', `\`${key}\` must have at most ${most} characters`)
    }
  }
}

const MAX_CHARACTERS = { displayname: 256, avatar_url: 1000 } as const

/** Refuses power levels in strings, which old room versions allow, in events of local users. */
function checkLevels(content: EventDraft['content']): void {
  for (const [name, value] of Object.entries(content)) {
    const levels = isObject(value) ? Object.keys(value).map((key) => member(value, key)) : [value]
    if (['users', 'events', 'notifications'].includes(name) !== isObject(value) && isKnownLevel(name)) {
      throw new MatrixError('M_BAD_JSON', `${name} has the wrong type`)
    }
    if (isKnownLevel(name) && levels.some((level) => !Number.isSafeInteger(level))) {
      throw new MatrixError('M_BAD_JSON', `${name} must be an integer`)
    }
  }
}

const LEVELS = [
  'users',
  'events',
  'notifications',
  'ban',
  'kick',
  'invite',
  'redact',
  'events_default',
  'state_default',
  'users_default',
]
const isKnownLevel = (name: string) => LEVELS.includes(name)
