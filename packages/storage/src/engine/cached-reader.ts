// SPDX-License-Identifier: Apache-2.0
import { Cache } from '@myelin/kit/cache'
import type { Caches } from './caches.ts'
import type { Read } from './database.ts'
import type { Position } from '../schema/schema.ts'

type Kept<Value> = { readonly readAt: Position; readonly value: Value }

/** A bounded place for values of one kind, apart for each database. */
export class DatabaseCache<Value> {
  readonly #name: string
  readonly #capacity: number
  readonly #byDatabase = new WeakMap<Caches, Cache<string, Value>>()

  /** Its name is what the metrics call it. */
  constructor(name: string, capacity: number) {
    this.#name = name
    this.#capacity = capacity
  }

  /** The shelf of one database. */
  of({ caches }: Pick<Read, 'caches'>): Cache<string, Value> {
    let shelf = this.#byDatabase.get(caches)
    if (!shelf) {
      shelf = new Cache(this.#capacity)
      this.#byDatabase.set(caches, shelf)
      caches.readerCaches.set(this.#name, shelf)
    }
    return shelf
  }
}

/**
 * Makes a reader that reads each thing once until the topic of its key's first part moves. Whatever writes such a thing must touch the topic.
 *
 * The position is taken before the read, so what moves meanwhile is read again by whoever comes next; inside a unit
 * nothing is kept, for it may be taken back. On another node than the writer's a value may be as old as the last hint:
 * whoever must not miss it asks for the database's position first.
 */
export function cachedReader<First extends string, Rest extends readonly string[], Value>(
  shelfName: string,
  capacity: number,
  topicOf: (first: First) => string,
  read: (db: Read, first: First, ...rest: Rest) => Promise<Value>,
): (db: Read, first: First, ...rest: Rest) => Promise<Value> {
  const shelf = new DatabaseCache<Kept<Value>>(shelfName, capacity)
  return async (db, first, ...rest) => {
    const readAt = db.topicPositions.position
    if (readAt === undefined) return read(db, first, ...rest)
    const cache = shelf.of(db)
    const name = rest.length === 0 ? first : `${first}\0${rest.join('\0')}`
    const kept = cache.get(name)
    if (kept && !db.topicPositions.changedSince(topicOf(first), kept.readAt)) return kept.value
    const value = await read(db, first, ...rest)
    cache.set(name, { readAt, value })
    return value
  }
}
