// SPDX-License-Identifier: Apache-2.0
import { type Static, type TObject, type TProperties, type TUnsafe, Type } from 'typebox'
import { DURATION_PATTERN, SIZE_PATTERN } from './units.ts'

/** What a section may ask and say while it turns what was written into what the program reads. */
export interface Reading {
  /** Something is wrong under that key; everything else is still read, so that all faults come at once. */
  fault(key: string, message: string): void
  /** Something the admin should know, that is no fault. */
  notice(message: string): void
  /** Whether the setting stands in a file, or has its default. */
  isGiven(key: string): boolean
  /** What the environment says under that name, in small or capital letters; undefined for nothing. */
  environment(name: string): string | undefined
  /** The folder of the first configuration file. */
  readonly folder: string
  /** The text of the file a `…_path` names, without the line break at its end; a fault if it cannot be read. */
  fileText(key: string, path: string): string | undefined
}

/** A group of settings: their schema, and what becomes of them. */
export interface Section<Fields extends TProperties = TProperties, Slice = unknown> {
  readonly title: string
  readonly fields: Fields
  read(values: Static<TObject<Fields>>, reading: Reading): Slice
}

/** A section, with the types of its values worked out from its fields. */
export function section<Fields extends TProperties, Slice>(parts: Section<Fields, Slice>): Section<Fields, Slice> {
  return parts
}

interface About {
  readonly description: string
  readonly default?: unknown
  readonly examples?: readonly unknown[]
}

/** A length of time, in Synapse's notation; read it with `durationMs`. */
export function duration(about: About): TUnsafe<number | string> {
  const says = 'a duration: milliseconds, or a number with s, m, h, d, w or y'
  return Type.Unsafe({ type: ['integer', 'string'], minimum: 0, pattern: DURATION_PATTERN, says, ...about })
}

/** A length of time that may be `null`, which is for ever, or never. */
export function durationOrNull(about: About): TUnsafe<number | string | null> {
  const says = 'a duration (milliseconds, or a number with s, m, h, d, w or y) or null'
  return Type.Unsafe({ type: ['integer', 'string', 'null'], minimum: 0, pattern: DURATION_PATTERN, says, ...about })
}

/** A number of bytes or things, in Synapse's notation; read it with `sizeBytes`. */
export function size(about: About): TUnsafe<number | string> {
  const says = 'a size: a number, alone or with K, M, G or T'
  return Type.Unsafe({ type: ['integer', 'string'], minimum: 0, pattern: SIZE_PATTERN, says, ...about })
}

/** One of a few words. */
export function oneOf<const Word extends string>(words: readonly Word[], about: About): TUnsafe<Word> {
  return Type.Unsafe({ type: 'string', enum: words, ...about })
}

/** An object that takes no member but those named. */
export function group<Fields extends TProperties>(fields: Fields, about: About): TObject<Fields> {
  return Type.Object(fields, { additionalProperties: false, ...about })
}

/** The path of a file or folder. */
export function path(about: About) {
  return Type.String({ minLength: 1, says: 'a path', ...about })
}
