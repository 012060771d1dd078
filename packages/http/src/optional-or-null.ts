// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import type { Static, TSchema } from 'typebox'

/** The keyword of schemas by {@link optionalOrNull}. */
export const NULL_IS_ABSENT = 'x-null-is-absent'

/**
 * Returns the schema of an optional member of a body for which `null` means the same as absence: Synapse reads it so, and
 * clients send it. Handlers see `undefined`.
 */
export function optionalOrNull<Schema extends TSchema>(schema: Schema) {
  return Type.Optional(Type.Unsafe<Static<Schema>>({ anyOf: [schema, { type: 'null' }], [NULL_IS_ABSENT]: true }))
}

/** Removes members that are null from a body. */
export type NullRemover = (body: unknown) => void

/** Returns a function that removes each null for which the schema has {@link optionalOrNull}; undefined if it has none. */
export function nullRemover(schema: TSchema): NullRemover | undefined {
  const { properties = {} } = schema as { properties?: Readonly<Record<string, TSchema>> }
  const nullable = Object.keys(properties).filter((name) => NULL_IS_ABSENT in (properties[name] ?? {}))
  const inside = Object.entries(properties).flatMap(([name, member]) => {
    const remove = nullRemover(valueOf(member))
    return remove ? [{ name, remove }] : []
  })
  const { additionalProperties: entries } = schema as { additionalProperties?: TSchema | boolean }
  const removeInEntry = typeof entries === 'object' ? nullRemover(valueOf(entries)) : undefined
  if (nullable.length === 0 && inside.length === 0 && !removeInEntry) return undefined
  return (body) => {
    // The schema has been checked: it is an object.
    const members = body as Record<string, unknown>
    for (const name of nullable) if (members[name] === null) delete members[name]
    for (const { name, remove } of inside) if (members[name] !== undefined) remove(members[name])
    if (!removeInEntry) return
    for (const [name, entry] of Object.entries(members)) if (!(name in properties)) removeInEntry(entry)
  }
}

function valueOf(member: TSchema): TSchema {
  const { anyOf } = member as { anyOf?: readonly TSchema[] }
  return NULL_IS_ABSENT in member ? (anyOf?.[0] ?? member) : member
}
