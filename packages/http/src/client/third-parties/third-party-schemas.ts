// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import { ObjectSchema, openObject, recordOf } from '../../reply-schemas.ts'

const Texts = Type.Array(Type.String())

/** A third-party protocol. */
export const ProtocolReply = Type.Object({
  user_fields: Texts,
  location_fields: Texts,
  icon: Type.String(),
  field_types: ObjectSchema,
  instances: Type.Array(openObject({ network_id: Type.String(), instance_id: Type.String() })),
})
/** Portal rooms of third-party networks. */
export const LocationsReply = Type.Array(
  openObject({ alias: Type.String(), protocol: Type.String(), fields: ObjectSchema }),
)
/** Users of third-party networks. */
export const UsersReply = Type.Array(
  openObject({ userid: Type.String(), protocol: Type.String(), fields: ObjectSchema }),
)

/** The name of a third-party protocol. */
export const ProtocolParams = Type.Object({ protocol: Type.String() })
/** The fields of a lookup, which the protocol names. */
export const FieldsQuery = recordOf(Type.Unsafe<string | readonly string[]>({}))

/** Returns the fields of a lookup as they are sent to application services: without the token of the client. */
export function fieldsOf(query: Readonly<Record<string, string | readonly string[]>>): URLSearchParams {
  const fields = new URLSearchParams()
  for (const [name, values] of Object.entries(query)) {
    if (name === 'access_token') continue
    for (const value of [values].flat()) fields.append(name, String(value))
  }
  return fields
}
