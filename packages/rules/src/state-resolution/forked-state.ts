// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import type { StateKey } from '../auth/state-key.ts'

/**
 * A room state as its difference from another: reads like a Map, and costs as much as the difference.
 *
 * Branches of a large room with a common base are split into conflicted and unconflicted state by their differences
 * alone.
 */
export class ForkedState implements ReadonlyMap<StateKey, EventId> {
  readonly [Symbol.toStringTag] = 'ForkedState'
  readonly base: ReadonlyMap<StateKey, EventId>
  /** The differences; null for a key of the base that this state lacks. */
  readonly changes: ReadonlyMap<StateKey, EventId | null>
  readonly size: number

  constructor(base: ReadonlyMap<StateKey, EventId>, changes: ReadonlyMap<StateKey, EventId | null>) {
    this.base = base
    this.changes = changes
    let size = base.size
    for (const [key, id] of changes) {
      if (id === null) size -= base.has(key) ? 1 : 0
      else size += base.has(key) ? 0 : 1
    }
    this.size = size
  }

  get(key: StateKey): EventId | undefined {
    const changed = this.changes.get(key)
    return changed === undefined ? this.base.get(key) : (changed ?? undefined)
  }

  has(key: StateKey): boolean {
    return this.get(key) !== undefined
  }

  *entries(): MapIterator<[StateKey, EventId]> {
    for (const entry of this.base) if (!this.changes.has(entry[0])) yield entry
    for (const [key, id] of this.changes) if (id !== null) yield [key, id]
  }

  *keys(): MapIterator<StateKey> {
    for (const [key] of this.entries()) yield key
  }

  *values(): MapIterator<EventId> {
    for (const [, id] of this.entries()) yield id
  }

  [Symbol.iterator](): MapIterator<[StateKey, EventId]> {
    return this.entries()
  }

  forEach(each: (id: EventId, key: StateKey, state: ReadonlyMap<StateKey, EventId>) => void): void {
    for (const [key, id] of this.entries()) each(id, key, this)
  }
}
