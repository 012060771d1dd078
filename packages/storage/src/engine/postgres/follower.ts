// SPDX-License-Identifier: Apache-2.0
import type { CommitHint } from '../database.ts'
import { EVERY_TOPIC } from '../topic-positions.ts'
import type { KnownTopicPositions } from '../topic-positions.ts'
import type { Position } from '../../schema/schema.ts'

/** One commit of any node: from where to where it took the log, and what it moved. */
export interface Move {
  readonly start: Position
  readonly position: Position
  readonly topics: Iterable<string>
}

// A longer list is told as "everything".
const MAX_TOPICS = 1000

/** How a commit's topics are stored. */
export function encodeTopics(topics: ReadonlySet<string>): string {
  return JSON.stringify(topics.size > MAX_TOPICS ? [EVERY_TOPIC] : [...topics])
}

/**
 * Knows what every node's commits moved: each leaves a row beside its change, in the same transaction.
 *
 * Hints only say when to read. `position()` returns a position that was the last one at the call or later, and by then
 * all topics touched up to it are known. Concurrent calls share one read.
 */
export class PostgresFollower {
  readonly #positions: KnownTopicPositions
  readonly #read: (after: Position) => Promise<readonly Move[]>
  readonly #heard: (hint: CommitHint) => void
  #looking: Promise<void> | undefined
  #nextLook: Promise<void> | undefined

  constructor(
    positions: KnownTopicPositions,
    read: (after: Position) => Promise<readonly Move[]>,
    heard: (hint: CommitHint) => void,
  ) {
    this.#positions = positions
    this.#read = read
    this.#heard = heard
  }

  /** The last position, as of now or later. */
  async position(): Promise<Position> {
    await this.#look()
    return this.#positions.position
  }

  /** Takes note of a commit of this node; looks for those of others where it does not follow the last one known. */
  async follow(move: Move): Promise<void> {
    if (move.start === this.#positions.position) this.#positions.note(move.position, move.topics)
    else await this.#look()
  }

  /** A look that began before the caller asked may have missed what the caller means. */
  #look(): Promise<void> {
    if (!this.#looking) {
      this.#looking = this.#catchUp().finally(() => (this.#looking = undefined))
      return this.#looking
    }
    const again = () => {
      this.#nextLook = undefined
      return this.#look()
    }
    return (this.#nextLook ??= this.#looking.then(again, again))
  }

  async #catchUp(): Promise<void> {
    for (const { start, position, topics } of await this.#read(this.#positions.position)) {
      if (position <= this.#positions.position) continue
      const moved = new Set(topics)
      // Rows that were swept away leave a gap: then nothing is known of what they moved.
      if (start > this.#positions.position) moved.add(EVERY_TOPIC)
      this.#positions.note(position, moved)
      this.#heard({ position, topics: moved })
    }
  }
}
