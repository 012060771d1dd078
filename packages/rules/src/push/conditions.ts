// SPDX-License-Identifier: Apache-2.0
import { matchGlob } from '@myelin/matrix/glob'
import { isObject, type Json, type JsonObject, member, stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { includesWords, matchWords } from './match-words.ts'
import { valueAt } from './property-path.ts'

/** The context in which push rules evaluate an event. */
export interface PushContext {
  readonly userId: string
  /** The user's display name in the room. */
  readonly displayName?: string | undefined
  /** The number of joined members. */
  readonly memberCount: number
  readonly senderPower: number
  /** Returns the level required for a notification key such as `room`. */
  readonly notificationLevel: (key: string) => number
  /** Whether the user is subscribed to the thread with a root; absent for users who do not subscribe to threads. */
  readonly isSubscribed?: ((root: string) => boolean) | undefined
}

/**
 * Returns whether a condition holds; false for an unknown or malformed one.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#conditions
 */
export function holds(condition: Json, event: Pdu, context: PushContext): boolean {
  if (!isObject(condition)) return false
  switch (stringMember(condition, 'kind') ?? '') {
    case 'event_match':
      return matchesEvent(condition, event)
    case 'event_property_is':
      return isProperty(condition, event)
    case 'event_property_contains':
      return containsProperty(condition, event)
    case 'contains_display_name':
      return containsDisplayName(event, context)
    case 'room_member_count':
      return isMemberCount(stringMember(condition, 'is'), context.memberCount)
    case 'sender_notification_permission':
      return maySenderNotify(stringMember(condition, 'key'), context)
    case 'io.element.msc4306.thread_subscription':
      return isThreadState(member(condition, 'subscribed'), event, context)
    default:
      return false
  }
}

/** Returns whether a pattern matches a value of the event: `content.body` by words, every other value as a whole. */
export function matchesPattern(event: Pdu, key: string, pattern: string): boolean {
  const value = valueAt(event, key)
  if (typeof value !== 'string') return false
  const glob = pattern.toLowerCase()
  return key === 'content.body' ? matchWords(glob, value.toLowerCase()) : matchGlob(glob, value.toLowerCase())
}

function matchesEvent(condition: JsonObject, event: Pdu): boolean {
  const key = stringMember(condition, 'key')
  const pattern = stringMember(condition, 'pattern')
  return key !== undefined && pattern !== undefined && matchesPattern(event, key, pattern)
}

function isProperty(condition: JsonObject, event: Pdu): boolean {
  const key = stringMember(condition, 'key')
  const wanted = member(condition, 'value')
  return key !== undefined && isPlain(wanted) && valueAt(event, key) === wanted
}

function containsProperty(condition: JsonObject, event: Pdu): boolean {
  const key = stringMember(condition, 'key')
  const wanted = member(condition, 'value')
  const list = key === undefined ? undefined : valueAt(event, key)
  return isPlain(wanted) && Array.isArray(list) && list.includes(wanted)
}

/** Returns whether a value can be compared exactly: a string, an integer, a boolean or null. */
function isPlain(value: Json | undefined): value is string | number | boolean | null {
  if (typeof value === 'number') return Number.isSafeInteger(value)
  return value === null || typeof value === 'string' || typeof value === 'boolean'
}

function containsDisplayName(event: Pdu, { displayName }: PushContext): boolean {
  const body = valueAt(event, 'content.body')
  if (typeof body !== 'string' || displayName === undefined || displayName === '') return false
  return includesWords(displayName.toLowerCase(), body.toLowerCase())
}

function isMemberCount(is: string | undefined, count: number): boolean {
  const [, comparison = '==', digits] = /^(==|<=|>=|<|>)?([0-9]+)$/.exec(is ?? '') ?? []
  if (digits === undefined) return false
  const limit = Number(digits)
  switch (comparison) {
    case '<':
      return count < limit
    case '>':
      return count > limit
    case '<=':
      return count <= limit
    case '>=':
      return count >= limit
    default:
      return count === limit
  }
}

function isThreadState(wanted: Json | undefined, event: Pdu, { isSubscribed }: PushContext): boolean {
  const root = threadRootOf(event)
  return isSubscribed !== undefined && root !== undefined && isSubscribed(root) === wanted
}

/** Returns the root of the thread that an event is in; undefined for an event of the main timeline. */
export function threadRootOf({ content }: Pdu): string | undefined {
  const relation = member(content, 'm.relates_to')
  const isThread = isObject(relation) && stringMember(relation, 'rel_type') === 'm.thread'
  return isThread ? stringMember(relation, 'event_id') : undefined
}

function maySenderNotify(key: string | undefined, context: PushContext): boolean {
  return key !== undefined && context.senderPower >= context.notificationLevel(key)
}
