// SPDX-License-Identifier: Apache-2.0
import type { TProperties } from 'typebox'

/** A setting as its schema describes it, for the sample file and the documentation. */
export interface Described {
  readonly key: string
  readonly description: string
  /** The accepted values, in words. */
  readonly takes: string
  readonly isRequired: boolean
  /** The default; undefined if there is none. */
  readonly fallback: unknown
  readonly examples: readonly unknown[]
  /** The settings inside this one. */
  readonly members: readonly Described[]
}

interface Schema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly takes?: string
  readonly enum?: readonly unknown[]
  readonly default?: unknown
  readonly examples?: readonly unknown[]
  readonly properties?: Readonly<Record<string, unknown>>
  readonly required?: readonly string[]
  readonly items?: unknown
}

/** Returns all settings of a section, in order. */
export function describedOf(fields: TProperties): readonly Described[] {
  return Object.entries(fields).map(([key, field]) => describe(key, field, !('~optional' in field)))
}

function describe(key: string, field: unknown, isRequired: boolean): Described {
  const schema = field as Schema
  const inside = insideOf(schema)
  const members = Object.entries(inside.properties ?? {}).map(([name, member]) =>
    describe(name, member, inside.required?.includes(name) ?? false),
  )
  const fallback = fallbackOf(schema, members)
  return {
    key,
    description: (schema.description ?? '').replaceAll(/\s+/g, ' '),
    takes: takesOf(schema),
    isRequired: isRequired && fallback === undefined,
    fallback,
    examples: schema.examples ?? [],
    members,
  }
}

/** Returns the schema that contains the members: of a group, the group; of a list of groups, its items. */
function insideOf(schema: Schema): Schema {
  return schema.items === undefined ? schema : (schema.items as Schema)
}

/** Returns the default of a setting; that of a group is assembled from its members. */
function fallbackOf(schema: Schema, members: readonly Described[]): unknown {
  if (schema.type !== 'object' || schema.default === undefined) return schema.default
  const entries = members.flatMap(({ key, fallback }) => (fallback === undefined ? [] : [[key, fallback]]))
  return { ...Object.fromEntries(entries), ...schema.default }
}

const WORDS: Readonly<Record<string, string>> = {
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: '`true` or `false`',
  object: 'settings of its own',
  array: 'a list',
}

function takesOf(schema: Schema): string {
  if (schema.takes) return schema.takes
  if (schema.type === 'array') return `a list of: ${takesOf(schema.items as Schema)}`
  if (schema.enum) return schema.enum.map((word) => `\`${String(word)}\``).join(' or ')
  const types = [schema.type ?? []].flat()
  return types.map((type) => WORDS[type] ?? type).join(' or ')
}
