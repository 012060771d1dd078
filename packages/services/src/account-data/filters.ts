// SPDX-License-Identifier: Apache-2.0
import { Cache } from '@myelin/kit/cache'
import { canonicalJsonLoose } from '@myelin/matrix/canonical-json'
import { MatrixError } from '@myelin/matrix/errors'
import { isRoomId, isUserId } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { isObject, member } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { parseJson } from '@myelin/matrix/parse-json'
import { filterDefinition, putFilter } from '@myelin/storage/accounts/filters'
import { syncFilterOf } from '../room-state/event-filter.ts'
import type { SyncFilter } from '../room-state/event-filter.ts'
import type { Runtime } from '../runtime/runtime.ts'

/**
 * Stores a filter and returns its ID.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3useruseridfilter
 */
export async function defineFilter(rt: Pick<Runtime, 'db'>, user: UserId, definition: JsonObject): Promise<string> {
  checkFilter(definition)
  syncFilterOf(definition)
  return rt.db.write(async (tx) => String(await putFilter(tx, user, canonicalJsonLoose(definition))))
}

/** Returns a filter's definition; throws `M_NOT_FOUND` for an unknown ID. */
export async function readFilter(rt: Pick<Runtime, 'db'>, user: UserId, id: string): Promise<JsonObject> {
  const text = /^\d{1,15}$/.test(id) ? await filterDefinition(rt.db.read, user, Number(id)) : undefined
  if (text === undefined) throw new MatrixError('M_NOT_FOUND', 'no such filter')
  return JSON.parse(text) as JsonObject
}

/** Returns the filter that a request has as an ID or as JSON; without one, everything passes. */
export async function loadFilter(rt: Pick<Runtime, 'db'>, user: UserId, text: string | undefined): Promise<SyncFilter> {
  if (text === undefined || text === '') return everything
  if (text.startsWith('{')) return remembered(text, () => checkedFilter(text))
  const stored = /^\d{1,15}$/.test(text) ? await filterDefinition(rt.db.read, user, Number(text)) : undefined
  if (stored === undefined) throw new MatrixError('M_INVALID_PARAM', 'no such filter')
  return remembered(`stored ${stored}`, () => JSON.parse(stored) as JsonObject)
}

const everything = syncFilterOf({})
// Clients of one kind send the same few filters, so parsed ones are shared; long ones are parsed each time.
const filters = new Cache<string, SyncFilter>(500)
const MAX_CACHED_LENGTH = 4096

function remembered(text: string, read: () => JsonObject): SyncFilter {
  const kept = filters.get(text)
  if (kept) return kept
  const filter = syncFilterOf(read())
  if (text.length <= MAX_CACHED_LENGTH) filters.set(text, filter)
  return filter
}

function checkedFilter(text: string): JsonObject {
  const json = filterObject(text)
  checkFilter(json)
  return json
}

/** Parses the filter of a query string; throws `M_NOT_JSON`, or `M_BAD_JSON` if it is not an object. */
export function filterObject(text: string): JsonObject {
  const json = parseJson(text)
  if (!isObject(json)) throw new MatrixError('M_BAD_JSON', '`filter` must be a JSON object')
  return json
}

const PARTS = ['presence', 'account_data', 'room'] as const
const PROFILE_FIELDS = 'org.matrix.msc4429.profile_fields'
const ROOM_PARTS = ['state', 'timeline', 'ephemeral', 'account_data'] as const

/** Throws `M_BAD_JSON` if members of a filter have wrong types. */
function checkFilter(definition: JsonObject): void {
  expect(isOptional(definition, 'event_fields', isStrings), 'event_fields')
  const format = member(definition, 'event_format')
  expect(format === undefined || format === 'client' || format === 'federation', 'event_format')
  for (const part of PARTS) checkPart(definition, part)
  const profileFields = member(definition, PROFILE_FIELDS)
  const isProfileFilter =
    profileFields === undefined || (isObject(profileFields) && isOptional(profileFields, 'ids', isStrings))
  expect(isProfileFilter, PROFILE_FIELDS)
  const room = member(definition, 'room')
  if (isObject(room)) for (const part of ROOM_PARTS) checkPart(room, part)
}

function checkPart(parent: JsonObject, name: string): void {
  const part = member(parent, name)
  if (part === undefined) return
  expect(isObject(part), name)
  if (!isObject(part)) return
  for (const key of ['types', 'not_types']) expect(isOptional(part, key, isStrings), key)
  for (const key of ['senders', 'not_senders'])
    expect(
      isOptional(part, key, (value) => isStrings(value) && value.every(isUserId)),
      key,
    )
  for (const key of ['rooms', 'not_rooms'])
    expect(
      isOptional(part, key, (value) => isStrings(value) && value.every(isRoomId)),
      key,
    )
  expect(
    isOptional(part, 'limit', (value) => Number.isInteger(value) && Number(value) >= 0),
    'limit',
  )
  for (const key of [
    'lazy_load_members',
    'include_redundant_members',
    'contains_url',
    'include_leave',
    'unread_thread_notifications',
  ]) {
    expect(
      isOptional(part, key, (value) => typeof value === 'boolean'),
      key,
    )
  }
}

function isOptional(object: JsonObject, key: string, test: (value: Json) => boolean): boolean {
  const value = member(object, key)
  return value === undefined || test(value)
}

function isStrings(value: Json): value is readonly string[] {
  return Array.isArray(value) && (value as readonly unknown[]).every((entry) => typeof entry === 'string')
}

function expect(holds: boolean, name: string): void {
  if (!holds) throw new MatrixError('M_BAD_JSON', `the filter's ${name} is not valid`)
}
