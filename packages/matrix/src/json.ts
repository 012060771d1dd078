// SPDX-License-Identifier: Apache-2.0
/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject

/** A JSON object whose members are not known; objects from outside have arbitrary keys, so look up with `Object.hasOwn` or {@link member}. */
export interface JsonObject {
  readonly [key: string]: Json
}

/** Whether a value is a JSON object (not null, not an array). */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An object's own member, never one it inherits: `constructor` or `__proto__` in remote keys find nothing. */
export function member(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

/** An own member that is a string, else undefined. */
export function stringMember(object: JsonObject, key: string): string | undefined {
  const value = member(object, key)
  return typeof value === 'string' ? value : undefined
}

/** An own member that is an object, else undefined. */
export function objectMember(object: JsonObject, key: string): JsonObject | undefined {
  const value = member(object, key)
  return isObject(value) ? value : undefined
}
