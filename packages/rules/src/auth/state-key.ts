// SPDX-License-Identifier: Apache-2.0
declare const brand: unique symbol

/** An event type and a state key in one string, so that they can be the key of a Map. */
export type StateKey = string & { readonly [brand]: 'StateKey' }

/** The key of a piece of state. Two different pairs never give the same one, whatever bytes they have. */
export function stateKey(type: string, key = ''): StateKey {
  return `${isOdd(type) ? escaped(type) : type}\u0000${key}` as StateKey
}

/** The event type and the state key that {@link stateKey} joined. */
export function splitStateKey(key: StateKey): readonly [type: string, stateKey: string] {
  const end = key.indexOf('\u0000')
  const type = key.slice(0, end)
  return [isOdd(type) ? type.replaceAll('\u0001n', '\u0000').replaceAll('\u0001e', '\u0001') : type, key.slice(end + 1)]
}

/** Nobody's event type has these, unless somebody wants to be taken for another. */
function isOdd(type: string): boolean {
  return type.includes('\u0000') || type.includes('\u0001')
}

function escaped(type: string): string {
  return type.replaceAll('\u0001', '\u0001e').replaceAll('\u0000', '\u0001n')
}
