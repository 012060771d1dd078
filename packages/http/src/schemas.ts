// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { Type } from 'typebox'
import type { Static, TSchema } from 'typebox'

/** A room id in a path or a body. */
export const RoomIdSchema = Type.Unsafe<RoomId>(Type.String({ pattern: '^!', maxLength: 255 }))
/** An event id in a path or a body. */
export const EventIdSchema = Type.Unsafe<EventId>(Type.String({ pattern: '^\\$', maxLength: 255 }))
/** A user id: sigil, localpart (without colon), server name. */
export const UserIdSchema = Type.Unsafe<UserId>(Type.String({ pattern: '^@[^:]*:.+$', maxLength: 255 }))
/** A device id. Clients may choose one: any text without NUL characters, which databases cannot store. */
export const DeviceIdSchema = Type.String({ minLength: 1, maxLength: 512, pattern: '^[^\\u0000]*$' })
/** The display name of a device. */
export const DeviceNameSchema = Type.String({ pattern: '^[^\\u0000]*$' })
/** Any JSON object. */
export const JsonObjectSchema = Type.Unsafe<JsonObject>(Type.Object({}, { additionalProperties: true }))
/** A boolean in a query string. */
export const FlagSchema = Type.Boolean()
/** Optional text. */
export const OptionalText = Type.Optional(Type.String())
/** An integer that JavaScript and the databases represent exactly: within ±(2^53 - 1). */
export const SafeInteger = Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER })
/** The same, optional. */
export const OptionalInteger = Type.Optional(SafeInteger)
/** The maximum number of entries in a page. */
export const OptionalLimit = Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))
/** The same, where 0 is refused. */
export const PositiveLimit = Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }))

/** Returns the schema of one of these strings. */
export function oneOf<const Word extends string>(words: readonly Word[]) {
  return Type.Unsafe<Word>({ type: 'string', enum: words })
}

/**
 * Returns the schema of an object with keys from outside. All keys match one schema, all values another. Read the object
 * with `Object.entries`.
 */
export function mapOf<Value extends TSchema>(name: TSchema, value: Value, maxProperties = 10_000) {
  const schema = { type: 'object', propertyNames: name, additionalProperties: value, maxProperties }
  return Type.Unsafe<Readonly<Record<string, Static<Value>>>>(schema)
}
