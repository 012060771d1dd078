// SPDX-License-Identifier: Apache-2.0
import type { CacheFigures } from '@myelin/kit/metrics'
import type { Position } from '../schema/schema.ts'

/** The topic that means all topics. */
export const EVERY_TOPIC = '*'

/** The positions at which topics were last touched. */
export interface TopicPositions {
  /** The position up to which all changes are known; undefined in a write transaction. */
  readonly position: Position | undefined
  /** Returns whether all changes after a position are still recorded. */
  remembers(after: Position): boolean
  /** Returns whether a topic may have changed after a position; false is certain up to the last known position. */
  changedSince(topic: string, after: Position): boolean
}

/** The topic positions of a write transaction, where every topic may have changed. */
export const unknownTopicPositions: TopicPositions = {
  position: undefined,
  remembers: () => false,
  changedSince: () => true,
}

const REMEMBERED = 200_000

/**
 * Records the position at which each topic was last touched, so that unchanged data is not queried again.
 *
 * A topic without a record (touched before the start, or dropped because memory is bounded) may have changed up to the
 * floor.
 */
export class KnownTopicPositions implements TopicPositions, CacheFigures {
  readonly #moved = new Map<string, Position>()
  readonly #remembered: number
  #floor: Position = 0
  /** The number of answers that a topic did not change. */
  hits = 0
  /** The number of answers that a topic changed, or may have. */
  misses = 0
  /** The position up to which all changes are known and visible to readers. */
  position: Position = 0

  constructor(remembered = REMEMBERED) {
    this.#remembered = remembered
  }

  /** Clears all records; changes up to a position are unknown. */
  reset(position: Position): void {
    this.#moved.clear()
    this.#floor = position
    this.position = position
  }

  /** Records the topics of a commit that ended at a position. The commit follows the last known one. */
  note(position: Position, topics: Iterable<string>): void {
    this.position = position
    for (const topic of topics) {
      if (topic === EVERY_TOPIC) return this.reset(position)
      this.#moved.delete(topic)
      this.#moved.set(topic, position)
    }
    while (this.#moved.size > this.#remembered) {
      const [oldest] = this.#moved
      if (!oldest) return
      this.#moved.delete(oldest[0])
      this.#floor = Math.max(this.#floor, oldest[1])
    }
  }

  /** The number of recorded topics. */
  get size(): number {
    return this.#moved.size
  }

  remembers(after: Position): boolean {
    return after >= this.#floor
  }

  changedSince(topic: string, after: Position): boolean {
    const hasMoved = (this.#moved.get(topic) ?? this.#floor) > after
    if (hasMoved) this.misses++
    else this.hits++
    return hasMoved
  }
}
