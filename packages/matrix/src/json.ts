// SPDX-License-Identifier: Apache-2.0
/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject

/** A JSON object with unknown members. Keys come from outside: use `Object.hasOwn` or {@link member} for lookups. */
export interface JsonObject {
  readonly [key: string]: Json
}

/** Returns whether a value is a JSON object (not null, not an array). */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Returns an object's own member, never an inherited one such as `constructor` or `__proto__`. */
export function member(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

/** Returns an own member that is a string, else undefined. */
export function stringMember(object: JsonObject, key: string): string | undefined {
  const value = member(object, key)
  return typeof value === 'string' ? value : undefined
}

/** Returns an own member that is an object, else undefined. */
export function objectMember(object: JsonObject, key: string): JsonObject | undefined {
  const value = member(object, key)
  return isObject(value) ? value : undefined
}
