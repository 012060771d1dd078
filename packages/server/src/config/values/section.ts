// SPDX-License-Identifier: Apache-2.0
import { type Static, type TObject, type TProperties, type TUnsafe, Type } from 'typebox'
import { DURATION_PATTERN, SIZE_PATTERN } from './units.ts'

/** The tools with which a section converts its settings into the types that the server reads. */
export interface Reading {
  /** Reports a fault at a key. Reading continues, so that all faults are reported at once. */
  fault(key: string, message: string): void
  /** Reports a message for the admin that is not a fault. */
  notice(message: string): void
  /** Returns whether a file sets the setting; false if it has its default. */
  isGiven(key: string): boolean
  /** Returns the environment variable of that name, in lower or upper case; undefined if it is unset or empty. */
  environment(name: string): string | undefined
  /** The folder of the first configuration file. */
  readonly folder: string
  /** Returns the text of the file that a `…_path` names, without its last line break; a fault if it cannot be read. */
  fileText(key: string, path: string): string | undefined
}

/** A group of settings: their schema, and the conversion of their values. */
export interface Section<Fields extends TProperties = TProperties, Slice = unknown> {
  readonly title: string
  readonly fields: Fields
  read(values: Static<TObject<Fields>>, reading: Reading): Slice
}

/** Declares a section; the types of its values follow from its fields. */
export function section<Fields extends TProperties, Slice>(parts: Section<Fields, Slice>): Section<Fields, Slice> {
  return parts
}

interface About {
  readonly description: string
  readonly default?: unknown
  readonly examples?: readonly unknown[]
}

/** Returns the schema of a duration in Synapse's notation, for `durationMs`. */
export function duration(about: About): TUnsafe<number | string> {
  const takes = 'a duration: milliseconds, or a number with s, m, h, d, w or y'
  return Type.Unsafe({ type: ['integer', 'string'], minimum: 0, pattern: DURATION_PATTERN, takes, ...about })
}

/** Returns the schema of a duration that may be `null`, which means without end or disabled. */
export function durationOrNull(about: About): TUnsafe<number | string | null> {
  const takes = 'a duration (milliseconds, or a number with s, m, h, d, w or y) or null'
  return Type.Unsafe({ type: ['integer', 'string', 'null'], minimum: 0, pattern: DURATION_PATTERN, takes, ...about })
}

/** Returns the schema of a size in Synapse's notation, for `sizeBytes`. */
export function size(about: About): TUnsafe<number | string> {
  const takes = 'a size: a number, alone or with K, M, G or T'
  return Type.Unsafe({ type: ['integer', 'string'], minimum: 0, pattern: SIZE_PATTERN, takes, ...about })
}

/** Returns the schema of one of several words. */
export function oneOf<const Word extends string>(words: readonly Word[], about: About): TUnsafe<Word> {
  return Type.Unsafe({ type: 'string', enum: words, ...about })
}

/** Returns the schema of an object without other members than these fields. */
export function group<Fields extends TProperties>(fields: Fields, about: About): TObject<Fields> {
  return Type.Object(fields, { additionalProperties: false, ...about })
}

/** Returns the schema of the path of a file or folder. */
export function path(about: About) {
  return Type.String({ minLength: 1, takes: 'a path', ...about })
}
