// SPDX-License-Identifier: Apache-2.0
import { Cache } from '@myelin/kit/cache'
import type { CacheFigures } from '@myelin/kit/metrics'
import type { EventId, RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import type { Nid, Position } from '../schema/schema.ts'
import type { StateChange } from '../schema/state-change.ts'
import type { TrieNode } from '../schema/state-trie.ts'
import type { CachedPdu, StoredEvent } from '../schema/stored-event.ts'

/** An event type with a state key. */
export interface StateKeyName {
  readonly type: string
  readonly stateKey: string
}

/** The number of joined users of each server in a room, at a state root. */
export interface JoinedServers {
  readonly stateRoot: Nid
  readonly servers: ReadonlyMap<ServerName, number>
}

/** A room's newest events up to a position, newest first, as of the log position `readAt`. */
export interface Tail {
  readonly readAt: Position
  readonly upTo: Position
  readonly events: readonly StoredEvent[]
}

/**
 * The caches of a database. They hold values that never change under their key.
 *
 * A value under a number may be cached at once, because a number is never reused. A value under a name is cached after
 * its commit is synced, because a failed transaction removes the row of the name.
 */
export class Caches {
  readonly pdus: Cache<Nid, CachedPdu>
  readonly stateNodes: Cache<Nid, TrieNode>
  /** The newest events of each room. */
  readonly tails = new Cache<Nid, Tail>(2000)
  /** A room's version never changes. */
  readonly roomVersions = new Cache<RoomId, string>(50_000)
  /** The state roots of rooms at positions, by room and position, each with the position at which it was read. */
  readonly rootsAt = new Cache<string, { readonly root: Nid; readonly readAt: Position }>(50_000)
  /** The auth events of state events, as numbers. */
  readonly authNids = new Cache<Nid, readonly Nid[]>(200_000)
  /** Resolutions of several states, as changes to the first state. */
  readonly resolutions = new Cache<string, { readonly base: Nid; readonly changes: readonly StateChange[] }>(2000)
  /** The last count of each room, with the state that it is valid for. */
  readonly joinedServers = new Cache<Nid, JoinedServers>(5_000)
  /** The events of one type in a state, by state and type. */
  readonly stateOfType = new Cache<string, readonly Nid[]>(2_000)
  readonly keyNames = new Cache<Nid, StateKeyName>(200_000)
  readonly userNames = new Cache<Nid, UserId>(200_000)
  readonly roomNames = new Cache<Nid, RoomId>(50_000)
  readonly eventNids = new Cache<EventId, Nid>(50_000)
  readonly keyNids = new Cache<string, Nid>(200_000)
  readonly userNids = new Cache<UserId, Nid>(200_000)
  readonly roomNids = new Cache<RoomId, Nid>(50_000)

  /** The caches of readers, by name: see `cached-reader.ts`. */
  readonly readerCaches = new Map<string, CacheFigures & { clear(): void }>()

  constructor(events = 20_000) {
    this.pdus = new Cache(events)
    this.stateNodes = new Cache(events)
  }

  /** Returns all caches with their names, for the metrics. */
  *figures(): Iterable<readonly [name: string, figures: CacheFigures]> {
    for (const [name, cache] of Object.entries(this)) if (cache instanceof Cache) yield [name, cache]
    yield* this.readerCaches
  }

  /** Clears all caches, because the numbers of a rolled-back batch are assigned again. */
  clear(): void {
    const all: readonly { clear(): void }[] = [
      this.pdus,
      this.stateNodes,
      this.rootsAt,
      this.authNids,
      this.resolutions,
      this.tails,
      this.roomVersions,
      this.joinedServers,
      this.stateOfType,
      this.keyNames,
      this.userNames,
      this.roomNames,
      this.eventNids,
      this.keyNids,
      this.userNids,
      this.roomNids,
      ...this.readerCaches.values(),
    ]
    for (const cache of all) cache.clear()
  }
}
