// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { Position } from '@myelin/storage/schema/schema'

/** A room, and the place (exclusive) in front of which its newest event lies. */
export interface RoomEnd {
  readonly roomId: RoomId
  readonly before: Position
}

/** Something with a place in the log. */
export interface Placed {
  readonly position: Position
}

/**
 * Hands out what several rooms hold in one order, the latest first. A room is read only when its turn may have come, a
 * page at a time: `read` answers its next things in front of a place (exclusive), and none where it has no more.
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

/** What is left of one room's page. */
class Source<Thing extends Placed> {
  readonly roomId: RoomId
  #before: Position
  #page: readonly Thing[] = []
  #next = 0

  constructor({ roomId, before }: RoomEnd) {
    this.roomId = roomId
    this.#before = before
  }

  /** Nothing it will ever hand out lies behind this place. */
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

/** The largest bound last. */
function putBack(sources: { readonly bound: Position }[], source: { readonly bound: Position }): void {
  let [low, high] = [0, sources.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sources[middle]?.bound ?? 0) <= source.bound) low = middle + 1
    else high = middle
  }
  sources.splice(low, 0, source)
}
