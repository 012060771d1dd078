// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream'
import { Type } from 'typebox'
import type { Static, TProperties, TSchema } from 'typebox'
import type { Bytes } from './endpoint.ts'

/** An empty object. */
export const EmptySchema = Type.Unsafe<Readonly<Record<string, never>>>(Type.Object({}))
/** The bytes of a file. */
export const BytesSchema = Type.Unsafe<Bytes>({ type: 'string', format: 'binary' })
/** Text that is not JSON. */
export const TextSchema = Type.String()
/** Returns the schema of a large object that is sent in pieces; `schema` describes the object. */
export function streamed(schema: TSchema) {
  return Type.Unsafe<Readable>(schema)
}

/** Returns the schema of an object with these members and any others, which clients or other servers choose. */
export function openObject(members: TProperties) {
  return Type.Unsafe<object>(Type.Object(members, { additionalProperties: true }))
}

/** Returns the schema of an object that a service returns as JSON, encoded or untyped. `schema` is checked in tests only. */
export function encodedObject(schema: TSchema) {
  return Type.Unsafe<object>(schema)
}

/** Returns the schema of an object with keys from outside and values of one kind. */
export function recordOf<Value extends TSchema>(value: Value) {
  return Type.Unsafe<Readonly<Record<string, Static<Value>>>>({ type: 'object', additionalProperties: value })
}

const Text = Type.String()

/** Any JSON object, or the text of one. */
export const ObjectSchema = openObject({})

/** An event as clients see it. Its content is chosen by its sender. */
export const ClientEventSchema = openObject({
  event_id: Text,
  room_id: Text,
  sender: Text,
  type: Text,
  origin_server_ts: Type.Integer(),
  content: ObjectSchema,
  state_key: Type.Optional(Text),
  unsigned: Type.Optional(ObjectSchema),
})

/** An event in federation format, which depends on the version of its room. */
export const PduSchema = openObject({
  type: Text,
  sender: Text,
  content: ObjectSchema,
  depth: Type.Integer(),
  origin_server_ts: Type.Integer(),
})

/** A state event without its id, as shown to invited and knocking users. */
export const StrippedEventSchema = openObject({ type: Text, state_key: Text, sender: Text, content: ObjectSchema })

/** The body of every error reply. */
export const ErrorSchema = Type.Object({ errcode: Text, error: Text }, { additionalProperties: true })

/** The body of a 401 that asks for user-interactive authentication. */
export const AuthenticationNeededSchema = Type.Object({
  flows: Type.Array(Type.Object({ stages: Type.Array(Text) })),
  params: ObjectSchema,
  session: Text,
  completed: Type.Optional(Type.Array(Text)),
  errcode: Type.Optional(Text),
  error: Type.Optional(Text),
})
