// SPDX-License-Identifier: Apache-2.0
import { Cache } from '@myelin/kit/cache'
import type { Caches } from './caches.ts'
import type { Read } from './database.ts'
import type { Position } from '../schema/schema.ts'

type Kept<Value> = { readonly readAt: Position; readonly value: Value }

/** A bounded cache of one kind of value, with separate entries for each database. */
export class DatabaseCache<Value> {
  readonly #name: string
  readonly #capacity: number
  readonly #byDatabase = new WeakMap<Caches, Cache<string, Value>>()

  /** `name` is the cache's name in the metrics. */
  constructor(name: string, capacity: number) {
    this.#name = name
    this.#capacity = capacity
  }

  /** Returns the cache of one database. */
  of({ caches }: Pick<Read, 'caches'>): Cache<string, Value> {
    let cache = this.#byDatabase.get(caches)
    if (!cache) {
      cache = new Cache(this.#capacity)
      this.#byDatabase.set(caches, cache)
      caches.readerCaches.set(this.#name, cache)
    }
    return cache
  }
}

/**
 * Returns a reader that caches each value until the topic of its first key part is touched. `tableTopics` names the topic
 * for the tables it reads.
 *
 * The position is taken before the read, so a change during the read invalidates the entry. Inside a unit nothing is
 * cached, since the unit may be rolled back. On nodes other than the writer's, a value may be as old as the last hint;
 * a caller that needs the latest value calls `position()` of the database first.
 */
export function cachedReader<First extends string, Rest extends readonly string[], Value>(
  cacheName: string,
  capacity: number,
  topicOf: (first: First) => string,
  read: (db: Read, first: First, ...rest: Rest) => Promise<Value>,
): (db: Read, first: First, ...rest: Rest) => Promise<Value> {
  const cache = new DatabaseCache<Kept<Value>>(cacheName, capacity)
  return async (db, first, ...rest) => {
    const readAt = db.topicPositions.position
    if (readAt === undefined) return read(db, first, ...rest)
    const entries = cache.of(db)
    const name = rest.length === 0 ? first : `${first}\0${rest.join('\0')}`
    const kept = entries.get(name)
    if (kept && !db.topicPositions.changedSince(topicOf(first), kept.readAt)) return kept.value
    const value = await read(db, first, ...rest)
    entries.set(name, { readAt, value })
    return value
  }
}
