// SPDX-License-Identifier: Apache-2.0
import type { CommitHint } from '../database.ts'
import { EVERY_TOPIC } from '../topic-positions.ts'
import type { KnownTopicPositions } from '../topic-positions.ts'
import type { Position } from '../../schema/schema.ts'

/** A commit of any node: the stretch of the log that it took, and its topics. */
export interface Move {
  readonly start: Position
  readonly position: Position
  readonly topics: Iterable<string>
}

// A longer list is sent as "everything".
const MAX_TOPICS = 1000

/** Returns the topics of a commit as they are stored. */
export function encodeTopics(topics: ReadonlySet<string>): string {
  return JSON.stringify(topics.size > MAX_TOPICS ? [EVERY_TOPIC] : [...topics])
}

/**
 * Follows the commits of all nodes. Each commit stores its topics in a row, in the same transaction.
 *
 * A hint only triggers a read. `position()` returns the last position as of the call or later; all topics touched up to it
 * are known by then. Concurrent calls share one read.
 */
export class PostgresFollower {
  readonly #positions: KnownTopicPositions
  readonly #read: (after: Position) => Promise<readonly Move[]>
  readonly #onCommit: (hint: CommitHint) => void
  #looking: Promise<void> | undefined
  #nextLook: Promise<void> | undefined

  constructor(
    positions: KnownTopicPositions,
    read: (after: Position) => Promise<readonly Move[]>,
    onCommit: (hint: CommitHint) => void,
  ) {
    this.#positions = positions
    this.#read = read
    this.#onCommit = onCommit
  }

  /** Returns the last position, as of the call or later. */
  async position(): Promise<Position> {
    await this.#look()
    return this.#positions.position
  }

  /** Records a commit of this node. Reads the commits of other nodes if it does not follow the last known one. */
  async follow(move: Move): Promise<void> {
    if (move.start === this.#positions.position) this.#positions.note(move.position, move.topics)
    else await this.#look()
  }

  /** Reads new commits. A read that began before the call does not count, because it may have missed some. */
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
      // Deleted rows leave a gap; their topics are unknown.
      if (start > this.#positions.position) moved.add(EVERY_TOPIC)
      this.#positions.note(position, moved)
      this.#onCommit({ position, topics: moved })
    }
  }
}
