// SPDX-License-Identifier: Apache-2.0
import { isObject, type Json, member } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'

/**
 * Returns the names in a dot-separated path, where `\.` is a dot and `\\` a backslash; other escapes stay as they are.
 *
 * @see https://spec.matrix.org/v1.19/appendices/#dot-separated-property-paths
 */
export function splitPath(path: string): string[] {
  if (!path.includes('\\')) return path.split('.')
  const names: string[] = []
  let name = ''
  for (let at = 0; at < path.length; at++) {
    const sign = path.charAt(at)
    const next = path.charAt(at + 1)
    if (sign === '.') {
      names.push(name)
      name = ''
    } else if (sign === '\\' && (next === '.' || next === '\\')) {
      name += next
      at++
    } else name += sign
  }
  names.push(name)
  return names
}

/**
 * Returns the value at a path of an event; undefined without one. `event_id` and `room_id` always exist, whatever the
 * version's format.
 */
export function valueAt(event: Pdu, path: string): Json | undefined {
  const [first = '', ...names] = namesOf(path)
  let value = topLevel(event, first)
  for (const name of names) value = isObject(value) ? member(value, name) : undefined
  return value
}

function topLevel(event: Pdu, name: string): Json | undefined {
  if (name === 'event_id') return event.id
  if (name === 'room_id') return event.roomId
  return member(event.json, name)
}

/** A cache of paths: a few hundred serve all users, so it is bounded. */
const remembered = new Map<string, readonly string[]>()

function namesOf(path: string): readonly string[] {
  let names = remembered.get(path)
  if (!names) {
    if (remembered.size >= 1000) remembered.clear()
    remembered.set(path, (names = splitPath(path)))
  }
  return names
}
