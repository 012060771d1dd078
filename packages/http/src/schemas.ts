// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { Type } from 'typebox'

/** A room id in a path or a body. */
export const RoomIdSchema = Type.Unsafe<RoomId>(Type.String({ pattern: '^!', maxLength: 255 }))
/** An event id in a path or a body. */
export const EventIdSchema = Type.Unsafe<EventId>(Type.String({ pattern: '^\\$', maxLength: 255 }))
/** A user id: sigil, localpart (any but a colon), server name. */
export const UserIdSchema = Type.Unsafe<UserId>(Type.String({ pattern: '^@[^:]*:.+$', maxLength: 255 }))
/** Any JSON object. */
export const JsonObjectSchema = Type.Unsafe<JsonObject>(Type.Object({}, { additionalProperties: true }))
/** A flag in a query string. */
export const FlagSchema = Type.Boolean()
