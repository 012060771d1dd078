// SPDX-License-Identifier: Apache-2.0
import type { Hint } from '@myelin/kit/bus'
import type { Timer } from '@myelin/kit/clock'
import { Semaphore } from '@myelin/kit/semaphore'
import { serverOf } from '@myelin/matrix/ids'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { hasPushers, latePushers, pushersOf, setAllLate } from '@myelin/storage/accounts/pushers'
import type { LatePusher, Pusher } from '@myelin/storage/accounts/pushers'
import { roomOfReceiptsTopic, topics, userOfReceiptsTopic } from '@myelin/storage/engine/topics'
import { LogFollower } from '../log-follower.ts'
import type { Stretch } from '../log-follower.ts'
import { Badges } from './badges.ts'
import { PushGateways } from './push-gateways.ts'
import { PusherQueue } from './pusher-queue.ts'
import type { PushDispatch, Pushing } from './pusher-queue.ts'
import { spreadPushes } from './spread-pushes.ts'
import type { SpreadPushes } from './spread-pushes.ts'

const MAX_CHANGED = 50_000
/**
 * From so many positions on, what happened while no node pushed is not pushed event by event: every pusher gets its newest
 * unread notifications.
 */
const MAX_BEHIND = 10_000
/** The cursor is written so long after pushes were distributed, so that a crash repeats few of them. */
const SAVE_MS = 500
const NO_PUSHES: SpreadPushes = { pushes: [], senders: [] }

/**
 * Pushes events to the gateways of users' pushers.
 *
 * It runs on one node: a {@link LogFollower} evaluates the push rules of members with pushers over each event. The cursor
 * advances once the gateways took the pushes, or the lateness of their pushers is on disk, so a crash repeats a push rather
 * than losing it.
 */
export class PushSender {
  readonly #rt: Pushing
  readonly #follower: LogFollower
  readonly #gateways: PushGateways
  readonly #badges: Badges
  readonly #lookups = new Semaphore(4)
  #queues = new Map<number, PusherQueue>()
  /** The topics that changed since the last range; undefined if hints were missed. */
  #rooms: Set<RoomId> | undefined
  #users: Set<UserId> | undefined
  /** The users with new receipts since the last range. */
  #readers = new Set<UserId>()
  /** An account has a pusher; undefined if that is unknown. */
  #hasPushers: boolean | undefined
  #term: AbortSignal | undefined
  #reached = 0
  /** What the cursor was when it was last to be written, and the timer of the next time. */
  #saved = 0
  #saving: Timer | undefined

  constructor(rt: Pushing) {
    this.#rt = rt
    this.#gateways = new PushGateways(rt)
    this.#badges = new Badges(rt)
    this.#follower = new LogFollower(rt, {
      name: 'push sender',
      onHint: (hint) => this.#onHint(hint),
      concerns: ({ position }) => position > 0 && this.#hasPushers !== false,
      begin: (term, cursor) => this.#begin(term, cursor),
      follow: (stretch, term) => this.#follow(stretch, term),
      safePosition: (reached) => this.#safePosition(reached),
      end: () => this.#end(),
    })
  }

  /** Returns the number of pushers with pending pushes, or whose gateway is retried later. */
  get busyCount(): number {
    return this.#queues.size
  }

  /** Resolves when everything was pushed, except what is retried later. */
  async settled(): Promise<void> {
    do {
      await this.#follower.settled()
      await Promise.all([...this.#queues.values()].map((queue) => queue.resting()))
      await new Promise<void>((resolve) => setImmediate(resolve))
    } while (this.#follower.isBusy || [...this.#queues.values()].some(({ isRunning }) => isRunning))
  }

  /** Stops; what was not pushed is pushed after the next start. */
  async close(): Promise<void> {
    this.#saving?.cancel()
    await this.#follower.stop()
    for (const queue of this.#queues.values()) queue.close()
    await Promise.all([...this.#queues.values()].map((queue) => queue.resting()))
    await this.#follower.close()
  }

  #onHint({ topics: changed }: Hint): void {
    if (changed.has('*')) return this.#lose()
    if (changed.has(topics.anyPusher)) this.#hasPushers = undefined
    if (this.#hasPushers === false) return
    const rooms: RoomId[] = []
    const users: UserId[] = []
    const readers: UserId[] = []
    for (const topic of changed) {
      const reader = userOfReceiptsTopic(topic)
      const read = roomOfReceiptsTopic(topic)
      if (topic.startsWith('!')) rooms.push(topic as RoomId)
      else if (topic.startsWith('@')) users.push(topic as UserId)
      else if (reader) readers.push(reader)
      else if (read) rooms.push(read)
    }
    for (const room of rooms) this.#rooms?.add(room)
    for (const user of [...users, ...readers]) {
      if (serverOf(user) !== this.#rt.config.serverName) continue
      for (const room of rooms) this.#badges.touch(user, room)
    }
    for (const user of users) this.#users?.add(user)
    for (const reader of readers) this.#readers.add(reader)
    if ((this.#rooms?.size ?? 0) + (this.#users?.size ?? 0) + this.#readers.size > MAX_CHANGED) this.#lose()
  }

  /** Hints were missed, or too many to keep: everything is looked at again. */
  #lose(): void {
    this.#rooms = undefined
    this.#users = undefined
    this.#readers.clear()
    this.#hasPushers = undefined
    this.#badges.clear()
  }

  async #begin(term: AbortSignal, cursor: number): Promise<void> {
    this.#lose()
    this.#term = term
    this.#reached = cursor
    const position = await this.#rt.db.position()
    if (position - cursor > MAX_BEHIND) {
      await this.#rt.db.write((tx) => setAllLate(tx, cursor, this.#rt.clock.now()))
      this.#reached = position
    }
    for (const late of await latePushers(this.#rt.db.read)) this.#to(late, late)
  }

  #end(): void {
    this.#term = undefined
    this.#saving?.cancel()
    this.#saving = undefined
    for (const queue of this.#queues.values()) queue.close()
    this.#queues = new Map()
  }

  async #follow(stretch: Stretch, term: AbortSignal): Promise<undefined> {
    const { db, config } = this.#rt
    const [rooms, users, readers] = [this.#rooms, this.#users, this.#readers]
    this.#rooms = new Set()
    this.#users = new Set()
    this.#readers = new Set()
    try {
      this.#hasPushers ??= await hasPushers(db.read)
      const ahead = { after: Math.max(stretch.after, this.#reached), upTo: stretch.upTo }
      const { pushes, senders } = this.#hasPushers
        ? await spreadPushes(db.read, rooms, users, ahead, config.push)
        : NO_PUSHES
      if (term.aborted) return
      // Sending an event reads the room.
      for (const { userId, roomId } of senders) this.#badges.touch(userId, roomId)
      for (const { userId, push } of pushes) {
        this.#badges.grow(userId, push.roomId)
        for (const pusher of await pushersOf(db.read, userId)) if (pusher.isEnabled) this.#to(pusher)?.offer(push)
      }
      for (const reader of this.#hasPushers ? readers : [])
        for (const pusher of await pushersOf(db.read, reader)) if (pusher.isEnabled) this.#to(pusher)?.offerBadge()
      this.#reached = stretch.upTo
      if (pushes.length > 0) this.#saveSoon()
    } catch (cause) {
      this.#lose()
      throw cause
    }
  }

  #saveSoon(): void {
    if (this.#saving || !this.#term) return
    this.#saving = this.#rt.clock.later(SAVE_MS, () => {
      this.#saving = undefined
      const position = this.#safePosition(this.#reached)
      if (position > this.#saved) this.#follower.saveCursor()
      this.#saved = position
      if (position < this.#reached) this.#saveSoon()
    })
  }

  #to(pusher: Pick<Pusher, 'nid' | 'userId'>, late?: LatePusher): PusherQueue | undefined {
    const known = this.#queues.get(pusher.nid)
    if (known || !this.#term) return known
    const dispatch: PushDispatch = {
      rt: this.#rt,
      gateways: this.#gateways,
      badges: this.#badges,
      reached: () => this.#reached,
      stopped: this.#term,
      lookups: this.#lookups,
    }
    const queue = new PusherQueue(dispatch, pusher, late)
    this.#queues.set(pusher.nid, queue)
    return queue
  }

  /** Returns the position up to which nothing depends on this process; forgets queues that have nothing to do. */
  #safePosition(reached: number): number {
    let position = reached
    for (const [nid, queue] of this.#queues) {
      // A queue remembers the last badge, so it stays while it is of use; it is small.
      if (queue.isIdle && this.#queues.size > MAX_CHANGED) this.#queues.delete(nid)
      position = Math.min(position, queue.safePosition ?? position)
    }
    return position
  }
}
