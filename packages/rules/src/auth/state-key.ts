// SPDX-License-Identifier: Apache-2.0
declare const brand: unique symbol

/** An event type and a state key in one string, usable as the key of a Map. */
export type StateKey = string & { readonly [brand]: 'StateKey' }

/** Returns the key of an event type and a state key; different pairs of any bytes never share one. */
export function stateKey(type: string, key = ''): StateKey {
  return `${isOdd(type) ? escaped(type) : type}\u0000${key}` as StateKey
}

/** Returns the event type and the state key of a {@link stateKey}. */
export function splitStateKey(key: StateKey): readonly [type: string, stateKey: string] {
  const end = key.indexOf('\u0000')
  const type = key.slice(0, end)
  return [isOdd(type) ? type.replaceAll('\u0001n', '\u0000').replaceAll('\u0001e', '\u0001') : type, key.slice(end + 1)]
}

/** Returns whether a type has characters that only occur in forged types. */
function isOdd(type: string): boolean {
  return type.includes('\u0000') || type.includes('\u0001')
}

function escaped(type: string): string {
  return type.replaceAll('\u0001', '\u0001e').replaceAll('\u0000', '\u0001n')
}
