// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { Position } from '@myelin/storage/schema/schema'

/** A room, and a position after its newest event. */
export interface RoomEnd {
  readonly roomId: RoomId
  readonly before: Position
}

/** An item with a position in the log. */
export interface Placed {
  readonly position: Position
}

/**
 * Merges the items of several rooms, the latest first. Rooms are read page by page and only when needed: `read` returns
 * the next items before a position (exclusive), none at the end.
 */
export async function* latestFirst<Thing extends Placed>(
  rooms: readonly RoomEnd[],
  read: (roomId: RoomId, before: Position) => Promise<readonly Thing[]>,
): AsyncGenerator<Thing> {
  const sources = rooms.map((room) => new Source<Thing>(room)).sort((a, b) => a.bound - b.bound)
  for (let source = sources.pop(); source; source = sources.pop()) {
    const thing = source.take()
    if (thing) yield thing
    else if (!source.refill(await read(source.roomId, source.bound))) continue
    putBack(sources, source)
  }
}

/** The unread rest of a room's page. */
class Source<Thing extends Placed> {
  readonly roomId: RoomId
  #before: Position
  #page: readonly Thing[] = []
  #next = 0

  constructor({ roomId, before }: RoomEnd) {
    this.roomId = roomId
    this.#before = before
  }

  /** All remaining items are at or before this position. */
  get bound(): Position {
    return this.#page[this.#next]?.position ?? this.#before
  }

  take(): Thing | undefined {
    const thing = this.#page[this.#next]
    if (thing) {
      this.#next++
      this.#before = thing.position
    }
    return thing
  }

  refill(page: readonly Thing[]): boolean {
    this.#page = page
    this.#next = 0
    return page.length > 0
  }
}

/** Inserts a source in ascending order of bounds. */
function putBack(sources: { readonly bound: Position }[], source: { readonly bound: Position }): void {
  let [low, high] = [0, sources.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sources[middle]?.bound ?? 0) <= source.bound) low = middle + 1
    else high = middle
  }
  sources.splice(low, 0, source)
}
