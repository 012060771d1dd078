// SPDX-License-Identifier: Apache-2.0
import { Cache } from '@myelin/kit/cache'
import type { RoomId } from '@myelin/matrix/ids'
import type { Position, Tables } from '../schema/schema.ts'

/** So many batches back it is known what was asked for in them. */
const BATCHES = 8

/**
 * What units know without asking the database: rooms' rows and the requests that were lately made, as the next unit would read
 * them, written or not. It holds as long as nobody else writes: another node's batch, or one of ours that was taken back, ends it.
 */
export class WriterMemory {
  readonly rooms = new Cache<RoomId, Tables['rooms']>(2000)
  #requests: { end: Position; readonly keys: Set<string> }[] = []
  /** What was asked for up to here is not known. */
  #floor: Position = Infinity
  #end: Position | undefined

  /** A batch begins where the log stands now. */
  begin(position: Position): void {
    if (position !== this.#end) this.forget()
    this.#floor = Math.min(this.#floor, position)
    const last = this.#requests.at(-1)
    if (last) last.end = position
    this.#requests.push({ end: Infinity, keys: new Set() })
    if (this.#requests.length > BATCHES) this.#floor = this.#requests.shift()?.end ?? position
  }

  /** It ended here, and nothing was taken back. */
  end(position: Position): void {
    this.#end = position
  }

  /** Nothing is known any more of what was there before the next batch. */
  forget(): void {
    this.#end = undefined
    this.rooms.clear()
    this.#requests = []
    this.#floor = Infinity
  }

  /** Notes that a unit of the open batch did what a request asks for. */
  noteRequest(key: string): void {
    this.#requests.at(-1)?.keys.add(key)
  }

  /** Whether it is certain that nobody did what a request asks for since a position. */
  isUnmade(key: string, since: Position): boolean {
    return since >= this.#floor && !this.#requests.some(({ end, keys }) => end > since && keys.has(key))
  }
}
