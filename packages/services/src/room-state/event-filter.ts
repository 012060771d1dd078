// SPDX-License-Identifier: Apache-2.0
import { matchGlob } from '@myelin/matrix/glob'
import { MatrixError } from '@myelin/matrix/errors'
import { member, objectMember, stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { MERGE_EVENT_TYPE } from './merge-event-type.ts'

/** The most entries with a wildcard in a list of types. */
const MAX_PATTERNS = 100

/** An event filter. A list that is present but empty matches nothing. */
export interface EventFilter {
  readonly limit: number | undefined
  readonly types: readonly string[] | undefined
  readonly notTypes: readonly string[]
  readonly senders: readonly string[] | undefined
  readonly notSenders: readonly string[]
  readonly rooms: readonly string[] | undefined
  readonly notRooms: readonly string[]
  readonly containsUrl: boolean | undefined
  /** Only events to which these senders related an event in these ways: see `related.ts`. */
  readonly relatedBy: Relations | undefined
  /** Only events that relate to another in one of these ways, and none that relate in one of those (MSC3874). */
  readonly relTypes: readonly string[] | undefined
  readonly notRelTypes: readonly string[]
  readonly lazyLoadMembers: boolean
  readonly includeRedundantMembers: boolean
  readonly unreadThreadNotifications: boolean
}

/** The relations of a `related_by` filter, by relation type and sender; undefined is any. */
interface Relations {
  readonly relTypes: readonly string[] | undefined
  readonly senders: readonly string[] | undefined
}

/**
 * Returns the event filter of a JSON object whose shape was checked.
 *
 * @throws MatrixError `M_INVALID_PARAM` for more than 100 types with a wildcard in one list
 * @see https://spec.matrix.org/v1.19/client-server-api/#filtering
 */
export function eventFilterOf(json: JsonObject | undefined): EventFilter {
  const source = json ?? {}
  const limit = member(source, 'limit')
  const containsUrl = member(source, 'contains_url')
  return {
    limit: typeof limit === 'number' ? limit : undefined,
    types: typesOf(source, 'types'),
    notTypes: typesOf(source, 'not_types') ?? [],
    senders: listOf(source, 'senders'),
    notSenders: listOf(source, 'not_senders') ?? [],
    rooms: listOf(source, 'rooms'),
    notRooms: listOf(source, 'not_rooms') ?? [],
    containsUrl: typeof containsUrl === 'boolean' ? containsUrl : undefined,
    relatedBy: relationsOf(source),
    relTypes: listOf(source, 'rel_types') ?? listOf(source, 'org.matrix.msc3874.rel_types'),
    notRelTypes: listOf(source, 'not_rel_types') ?? listOf(source, 'org.matrix.msc3874.not_rel_types') ?? [],
    lazyLoadMembers: member(source, 'lazy_load_members') === true,
    includeRedundantMembers: member(source, 'include_redundant_members') === true,
    unreadThreadNotifications: member(source, 'unread_thread_notifications') === true,
  }
}

/** Returns whether a filter matches a room. */
export function passesRoom(roomId: string, { rooms, notRooms }: Pick<EventFilter, 'rooms' | 'notRooms'>): boolean {
  return !has(notRooms, roomId) && (rooms === undefined || has(rooms, roomId))
}

/** Returns whether a filter matches an event by the event's own fields; exclusions win. */
export function passes(event: Pick<Pdu, 'type' | 'sender' | 'roomId' | 'content'>, filter: EventFilter): boolean {
  if (event.type === MERGE_EVENT_TYPE || !passesType(event.type, filter) || !passesRoom(event.roomId, filter))
    return false
  if (has(filter.notSenders, event.sender)) return false
  if (filter.senders && !has(filter.senders, event.sender)) return false
  if (!passesRelation(event.content, filter)) return false
  if (filter.containsUrl === undefined) return true
  return filter.containsUrl === (stringMember(event.content, 'url') !== undefined)
}

function passesRelation(content: JsonObject, { relTypes, notRelTypes }: EventFilter): boolean {
  if (relTypes === undefined && notRelTypes.length === 0) return true
  const relType = stringMember(objectMember(content, 'm.relates_to') ?? {}, 'rel_type')
  if (relType === undefined) return relTypes === undefined
  return !has(notRelTypes, relType) && (relTypes === undefined || has(relTypes, relType))
}

/** Returns whether a filter matches an event type; `*` is a wildcard. */
export function passesType(type: string, { types, notTypes }: Pick<EventFilter, 'types' | 'notTypes'>): boolean {
  return !hasType(notTypes, type) && (types === undefined || hasType(types, type))
}

/** Returns whether a list has a value. Long lists are looked up: a filter of 64 KiB has thousands of entries. */
function has(list: readonly string[], value: string): boolean {
  if (list.length <= SHORT_LIST) return list.includes(value)
  let set = sets.get(list)
  if (!set) sets.set(list, (set = new Set(list)))
  return set.has(value)
}

function hasType(patterns: readonly string[], type: string): boolean {
  if (patterns.length === 0) return false
  let known = globs.get(patterns)
  if (!known) globs.set(patterns, (known = patterns.filter(isGlob).map(withoutQuestion)))
  return has(patterns, type) || (known.length > 0 && known.some((glob) => matchGlob(glob, withoutQuestion(type))))
}

const SHORT_LIST = 16
const sets = new WeakMap<readonly string[], ReadonlySet<string>>()
const globs = new WeakMap<readonly string[], readonly string[]>()

const isGlob = (pattern: string) => pattern.includes('*')
// Only `*` is special in filters.
const withoutQuestion = (text: string) => text.replaceAll('?', '\u0000')

/** Returns a list of types; each event is matched with all patterns of it. */
function typesOf(source: JsonObject, name: string): string[] | undefined {
  const types = listOf(source, name)
  if (types && types.filter(isGlob).length > MAX_PATTERNS) {
    throw new MatrixError('M_INVALID_PARAM', `\`${name}\` must have at most ${MAX_PATTERNS} entries with \`*\``)
  }
  return types
}

function relationsOf(source: JsonObject): Relations | undefined {
  const [relTypes, senders] = [listOf(source, 'related_by_rel_types'), listOf(source, 'related_by_senders')]
  return relTypes || senders ? { relTypes, senders } : undefined
}

function listOf(source: JsonObject, name: string): string[] | undefined {
  const value = member(source, name)
  if (!Array.isArray(value)) return undefined
  return (value as readonly unknown[]).filter((entry) => typeof entry === 'string')
}

/** A `/sync` filter. */
export interface SyncFilter {
  readonly fields: readonly string[] | undefined
  readonly isFederationFormat: boolean
  readonly includeLeave: boolean
  readonly rooms: Pick<EventFilter, 'rooms' | 'notRooms'>
  readonly timeline: EventFilter
  readonly state: EventFilter
  readonly ephemeral: EventFilter
  readonly roomAccountData: EventFilter
  readonly accountData: EventFilter
  readonly presence: EventFilter
  /** The profile fields that the client wants (MSC4429). */
  readonly profileFields: readonly string[]
}

/** Returns the `/sync` filter of a filter definition. */
export function syncFilterOf(json: JsonObject): SyncFilter {
  const room = objectMember(json, 'room') ?? {}
  const part = (name: string) => eventFilterOf(objectMember(room, name))
  const { rooms, notRooms } = eventFilterOf(room)
  return {
    fields: listOf(json, 'event_fields'),
    isFederationFormat: member(json, 'event_format') === 'federation',
    includeLeave: member(room, 'include_leave') === true,
    rooms: { rooms, notRooms },
    timeline: part('timeline'),
    state: part('state'),
    ephemeral: part('ephemeral'),
    roomAccountData: part('account_data'),
    accountData: eventFilterOf(objectMember(json, 'account_data')),
    presence: eventFilterOf(objectMember(json, 'presence')),
    profileFields: listOf(objectMember(json, 'org.matrix.msc4429.profile_fields') ?? {}, 'ids') ?? [],
  }
}
