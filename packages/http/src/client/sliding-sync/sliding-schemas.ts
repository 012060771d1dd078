// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { Type } from 'typebox'
import type { Static, TSchema } from 'typebox'
import { optionalOrNull } from '../../optional-or-null.ts'
import { mapOf, oneOf } from '../../schemas.ts'
import { ERROR_CODE } from '../../validation.ts'

/** Refuses wrong values with `M_INVALID_PARAM`. */
function orInvalidParam<Schema extends TSchema>(schema: Schema) {
  return Type.Unsafe<Static<Schema>>({ ...schema, [ERROR_CODE]: 'M_INVALID_PARAM' })
}

const MAX_LISTS = 100
const MAX_PATTERNS = 1000
const MAX_NAMES = 1000

/** A number of timeline events. */
export const TimelineLimitSchema = Type.Integer({ minimum: 0, maximum: 1000 })
/** The same where a larger one is capped. */
export const CappedLimitSchema = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
/** The first and the last index of a window. */
export const RangeSchema = Type.Unsafe<readonly [number, number]>({
  type: 'array',
  items: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
  minItems: 2,
  maxItems: 2,
})
/** A pair of type and state key. */
export const StatePairSchema = Type.Unsafe<readonly [string, string]>({
  type: 'array',
  items: { type: 'string' },
  minItems: 2,
  maxItems: 2,
})
/** The name of a connection. Databases cannot store NUL characters. */
export const ConnIdSchema = optionalOrNull(Type.String({ maxLength: 255, pattern: '^[^\\u0000]*$' }))
/** The presence that the client sets. */
export const SetPresenceSchema = Type.Optional(orInvalidParam(oneOf(['offline', 'online', 'unavailable'])))
/** A flag of a list, a filter or an extension. */
export const SlidingFlag = optionalOrNull(Type.Boolean())
const extensionOf = (enabled: TSchema) =>
  Type.Unsafe<JsonObject>(Type.Object({ enabled }, { additionalProperties: true }))
const Extension = optionalOrNull(extensionOf(SlidingFlag))
const LaterExtension = Type.Optional(extensionOf(Type.Optional(Type.Boolean())))
/** The configurations of the extensions, by name; unknown names are ignored. */
export const ExtensionsSchema = optionalOrNull(
  Type.Object(
    {
      to_device: Extension,
      e2ee: Extension,
      account_data: Extension,
      receipts: Extension,
      typing: Extension,
      'io.element.msc4308.thread_subscriptions': Extension,
      'org.matrix.msc4354.sticky_events': LaterExtension,
      'org.matrix.msc4262.profiles': LaterExtension,
    },
    { maxProperties: 100 },
  ),
)

const Names = optionalOrNull(Type.Array(Type.String(), { maxItems: MAX_NAMES }))
const RoomTypes = optionalOrNull(
  Type.Array(Type.Unsafe<string | null>({ type: ['string', 'null'] }), { maxItems: MAX_NAMES }),
)

/** The filters that both dialects have under the same name. */
export const filterMembers = {
  is_dm: SlidingFlag,
  is_encrypted: SlidingFlag,
  spaces: Names,
  room_types: RoomTypes,
  not_room_types: RoomTypes,
  tags: Names,
  not_tags: Names,
}

/** Returns the schema of `required_state`, with at most 1,000 entries. */
export function patternsOf<Pattern extends TSchema>(pattern: Pattern) {
  return Type.Array(pattern, { maxItems: MAX_PATTERNS })
}

/** Returns the schema of at most 100 lists by name. */
export function listsOf<List extends TSchema>(list: List, namePattern: string) {
  return optionalOrNull(orInvalidParam(mapOf(orInvalidParam(Type.String({ pattern: namePattern })), list, MAX_LISTS)))
}

/** Returns the schema of subscriptions by room. */
export function subscriptionsOf<Subscription extends TSchema>(subscription: Subscription, max: number) {
  return optionalOrNull(orInvalidParam(mapOf(Type.String({ maxLength: 255 }), subscription, max)))
}

/** Returns a JSON object of the request as a map, whose keys come from outside. */
export function entriesOf<Value>(object: Readonly<Record<string, Value>> | undefined): readonly [string, Value][] {
  return Object.entries(object ?? {})
}

/** Returns subscriptions by room ID. */
export function byRoom<Value, Config>(
  object: Readonly<Record<string, Value>> | undefined,
  configOf: (value: Value) => Config,
): Map<RoomId, Config> {
  return new Map(entriesOf(object).map(([roomId, value]) => [roomId as RoomId, configOf(value)]))
}
