// SPDX-License-Identifier: Apache-2.0
import type { Hint } from '@myelin/kit/bus'
import { Semaphore } from '@myelin/kit/semaphore'
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import { lateDestinations } from '@myelin/storage/federation/destinations'
import type { LateDestination } from '@myelin/storage/federation/destinations'
import { serversWithDeviceNews } from '@myelin/storage/federation/outgoing-device-lists'
import { serversWaitedFor } from '@myelin/storage/federation/outgoing-edus'
import { serverOfWaitingEdus, userOfPresenceTopic } from '@myelin/storage/engine/topics'
import { roomTypedIn } from '../../runtime/typing.ts'
import { serversThoughtInRoom } from '../../room-state/servers-thought-in-room.ts'
import { mayFederateWith } from '../../peers/trust/may-federate-with.ts'
import { LogFollower } from '../log-follower.ts'
import type { Stretch } from '../log-follower.ts'
import { changedDevices, putDeviceListChanges } from './device-list-changes.ts'
import { Destination } from './destination.ts'
import type { Dispatch } from './destination.ts'
import { serverOfReachableTopic } from '../../peers/trust/reachable-servers.ts'
import { ChangedRooms } from './changed-rooms.ts'
import { OutgoingPresence } from './outgoing-presence.ts'
import { spread } from './spread.ts'
import type { OutgoingStretch } from './spread.ts'
import type { Sending } from './transaction.ts'
import { OutgoingTyping } from './outgoing-typing.ts'

/**
 * Sends events, EDUs and device lists to other servers.
 *
 * It runs on one node: a {@link LogFollower} distributes each event to its destinations. The cursor advances once the
 * destinations received the event, or their lateness is on disk.
 */
export class Outbound {
  readonly #rt: Sending
  readonly #follower: LogFollower
  readonly #moved: ChangedRooms
  readonly #lookups = new Semaphore(4)
  readonly #typing: OutgoingTyping
  readonly #presence: OutgoingPresence
  #destinations = new Map<ServerName, Destination>()
  /** The signal of the current lease; undefined while another node holds it. */
  #term: AbortSignal | undefined
  #reached = 0

  constructor(rt: Sending) {
    this.#rt = rt
    this.#moved = new ChangedRooms(rt.serverName)
    this.#typing = new OutgoingTyping(rt)
    this.#presence = new OutgoingPresence(rt, (server, pushes) => this.#to(server)?.offerPresence(pushes))
    this.#follower = new LogFollower(rt, {
      name: 'federation sender',
      onHint: (hint) => this.#onHint(hint),
      concerns: ({ position }) => position > 0,
      begin: (term, cursor) => this.#begin(term, cursor),
      follow: (stretch, term) => this.#follow(stretch, term),
      safePosition: (reached) => this.#safePosition(reached),
      end: () => this.#end(),
    })
  }

  /** Returns the number of destinations with pending data, or that are unreachable. */
  get busyCount(): number {
    return this.#destinations.size
  }

  /** Resolves when everything was sent, except to servers that are retried later. */
  async settled(): Promise<void> {
    do {
      await this.#follower.settled()
      await this.#presence.settled()
      await Promise.all([...this.#destinations.values()].map((destination) => destination.resting()))
      await new Promise<void>((resolve) => setImmediate(resolve))
    } while (this.#follower.isBusy || [...this.#destinations.values()].some(({ isRunning }) => isRunning))
  }

  /** Stops; unsent events are sent after the next start. */
  async close(): Promise<void> {
    this.#presence.close()
    await this.#follower.stop()
    for (const destination of this.#destinations.values()) destination.close()
    await this.#presence.settled()
    await Promise.all([...this.#destinations.values()].map((destination) => destination.resting()))
    await this.#follower.close()
  }

  #onHint(hint: Hint): void {
    for (const topic of hint.topics) {
      const server = serverOfReachableTopic(topic)
      if (server) this.#destinations.get(server)?.retryNow()
      const waited = serverOfWaitingEdus(topic)
      if (waited) this.#to(waited)?.offerWaiting()
      const room = roomTypedIn(topic)
      if (room && this.#term) this.#tellTyping(room)
      const present = userOfPresenceTopic(topic)
      if (present && this.#term) this.#presence.record(present)
    }
    if (hint.position > 0) this.#moved.onHint(hint)
  }

  async #lookForWaiting(): Promise<void> {
    const { read } = this.#rt.db
    const servers = [...(await serversWaitedFor(read)), ...(await serversWithDeviceNews(read))]
    for (const server of servers) this.#to(server)?.offerWaiting()
  }

  #tellTyping(roomId: RoomId): void {
    const news = this.#typing.newsOf(roomId)
    if (news.length === 0) return
    serversThoughtInRoom(this.#rt.db.read, roomId)
      .then((servers) => {
        for (const server of servers) {
          if (server === this.#rt.serverName) continue
          for (const typing of news) this.#to(server)?.offerTyping(typing)
        }
      })
      .catch((cause: unknown) => {
        if (this.#term && !this.#term.aborted) this.#rt.log.error({ err: cause }, 'typing could not be sent on')
      })
  }

  async #begin(term: AbortSignal, cursor: number): Promise<void> {
    this.#term = term
    this.#reached = cursor
    this.#moved.lose()
    for (const late of await lateDestinations(this.#rt.db.read)) this.#to(late.server, late)
    await this.#lookForWaiting()
  }

  #end(): void {
    this.#term = undefined
    this.#presence.close()
    for (const destination of this.#destinations.values()) destination.close()
    this.#destinations = new Map()
  }

  /** Returns the position up to which nothing depends on this process; forgets destinations that have nothing to do. */
  #safePosition(reached: number): number {
    let position = reached
    for (const [server, destination] of this.#destinations) {
      if (destination.isIdle) this.#destinations.delete(server)
      else position = Math.min(position, destination.safePosition ?? position)
    }
    return position
  }

  async #follow(stretch: Stretch, term: AbortSignal): Promise<undefined> {
    const rooms = this.#moved.take()
    try {
      if (!rooms) await this.#lookForWaiting()
      const found = await spread(this.#rt, rooms, stretch, this.#moved)
      const hasUsers = this.#moved.takeUsers()
      const changes = hasUsers ? await changedDevices(this.#rt, stretch) : []
      await putDeviceListChanges(this.#rt, [...found.joins, ...changes])
      if (term.aborted) return
      this.#hand(found)
      this.#reached = stretch.upTo
    } catch (cause) {
      this.#moved.lose()
      throw cause
    }
  }

  #hand({ events, receipts }: OutgoingStretch): void {
    for (const { servers, ...event } of events) for (const server of servers) this.#to(server)?.offer(event)
    for (const { servers, receipt } of receipts) for (const server of servers) this.#to(server)?.offerReceipt(receipt)
  }

  #to(server: ServerName, late?: LateDestination): Destination | undefined {
    const known = this.#destinations.get(server)
    if (known || !this.#term || !mayFederateWith(this.#rt, server)) return known
    const dispatch: Dispatch = {
      rt: this.#rt,
      reached: () => this.#reached,
      stopped: this.#term,
      lookups: this.#lookups,
    }
    const destination = new Destination(dispatch, server, late)
    this.#destinations.set(server, destination)
    return destination
  }
}
