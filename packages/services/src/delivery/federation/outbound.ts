// SPDX-License-Identifier: Apache-2.0
import type { Hint } from '@myelin/kit/bus'
import type { Timer } from '@myelin/kit/clock'
import { Turns } from '@myelin/kit/turns'
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import { lateDestinations } from '@myelin/storage/federation/destinations'
import type { LateDestination } from '@myelin/storage/federation/destinations'
import { serversWithDeviceNews } from '@myelin/storage/federation/outgoing-device-lists'
import { serversWaitedFor } from '@myelin/storage/federation/outgoing-edus'
import { dropLease, moveReader, takeLease } from '@myelin/storage/engine/readers'
import type { Lease } from '@myelin/storage/engine/readers'
import { serverOfWaitingEdus, topics, userOfPresenceTopic } from '@myelin/storage/engine/topics'
import { roomTypedIn } from '../../runtime/typing.ts'
import { serversSaidToBeIn } from '../../room-state/servers-said.ts'
import { maySpeakWith } from '../../peers/trust/may-speak-with.ts'
import { changedDevices, putDeviceNews } from './device-news.ts'
import { Destination } from './destination.ts'
import type { Dispatch } from './destination.ts'
import { serverHeardFrom } from '../../peers/trust/heard-from.ts'
import { MovedRooms } from './moved-rooms.ts'
import { PresenceNews } from './presence-news.ts'
import { spread } from './spread.ts'
import type { Stretch } from './spread.ts'
import type { Sending } from './transaction.ts'
import { TypingNews } from './typing-news.ts'

const READER = 'federation sender'
const LEASE_MS = 30_000
const RENEW_MS = 10_000

/**
 * Sends to other servers what concerns them.
 *
 * One node of all does it, as long as it holds the lease. It reads the log once and hands each event to the servers it
 * goes to; the reader's position on disk follows once they took it or it is on disk that they did not.
 */
export class Outbound {
  readonly #rt: Sending
  readonly #holder: string
  readonly #moved: MovedRooms
  readonly #lookups = new Turns(4)
  readonly #stopListening: () => void
  readonly #typing: TypingNews
  readonly #presence: PresenceNews
  #destinations = new Map<ServerName, Destination>()
  #isStopped = false
  /** Aborts when the lease is over; undefined while another node holds it. */
  #term: AbortController | undefined
  /** The log has been read up to here, and is known to go as far as there. */
  #reached = 0
  #known = 0
  #following: Promise<void> | undefined
  #renewing: Promise<void>
  #timer: Timer

  constructor(rt: Sending) {
    this.#rt = rt
    this.#holder = rt.random.token(16)
    this.#moved = new MovedRooms(rt.serverName)
    this.#typing = new TypingNews(rt)
    this.#presence = new PresenceNews(rt, (server, pushes) => this.#to(server)?.offerPresence(pushes))
    this.#stopListening = rt.bus.listen((hint) => this.#hear(hint))
    this.#timer = rt.clock.later(RENEW_MS, () => this.#renewLater())
    this.#renewing = this.#renew()
  }

  /** How many servers something waits for, or that do not answer. */
  get busyCount(): number {
    return this.#destinations.size
  }

  /** Resolves when everything was sent, except to servers that are tried again later. */
  async settled(): Promise<void> {
    for (;;) {
      await this.#renewing
      await this.#following
      await this.#presence.settled()
      await Promise.all([...this.#destinations.values()].map((destination) => destination.resting()))
      await new Promise<void>((resolve) => setImmediate(resolve))
      const isBusy = [...this.#destinations.values()].some(({ isRunning }) => isRunning)
      const isBehind = this.#term !== undefined && !this.#isStopped && this.#reached < this.#known
      if (!isBusy && !isBehind && !this.#following) return
    }
  }

  /** Stops; what was not taken is sent after the next start. */
  async close(): Promise<void> {
    this.#isStopped = true
    this.#timer.cancel()
    this.#stopListening()
    this.#presence.close()
    await this.#renewing
    this.#term?.abort()
    for (const destination of this.#destinations.values()) destination.close()
    await this.#following
    await this.#presence.settled()
    await Promise.all([...this.#destinations.values()].map((destination) => destination.resting()))
    if (!this.#term) return
    await this.#rt.db.write(async (tx) => {
      await moveReader(tx, this.#lease(), this.#safePosition())
      await dropLease(tx, READER, this.#holder)
    })
  }

  #hear(hint: Hint): void {
    if (hint.topics.has(topics.leases)) this.#renewNow()
    for (const topic of hint.topics) {
      const server = serverHeardFrom(topic)
      if (server) this.#destinations.get(server)?.heard()
      const waited = serverOfWaitingEdus(topic)
      if (waited) this.#to(waited)?.offerWaiting()
      const room = roomTypedIn(topic)
      if (room && this.#term) this.#tellTyping(room)
      const present = userOfPresenceTopic(topic)
      if (present && this.#term) this.#presence.hear(present)
    }
    if (hint.position === 0) return
    this.#moved.hear(hint)
    this.#known = Math.max(this.#known, hint.position)
    this.#follow()
  }

  async #lookForWaiting(): Promise<void> {
    const { read } = this.#rt.db
    const servers = [...(await serversWaitedFor(read)), ...(await serversWithDeviceNews(read))]
    for (const server of servers) this.#to(server)?.offerWaiting()
  }

  #tellTyping(roomId: RoomId): void {
    const news = this.#typing.newsOf(roomId)
    if (news.length === 0 || this.#isStopped) return
    serversSaidToBeIn(this.#rt.db.read, roomId)
      .then((servers) => {
        for (const server of servers) {
          if (server === this.#rt.serverName) continue
          for (const typing of news) this.#to(server)?.offerTyping(typing)
        }
      })
      .catch((cause: unknown) => this.#readFailed(cause))
  }

  #renewLater(): void {
    this.#timer = this.#rt.clock.later(RENEW_MS, () => this.#renewLater())
    this.#renewNow()
  }

  #renewNow(): void {
    this.#renewing = this.#renewing.then(() => this.#renew())
  }

  async #renew(): Promise<void> {
    if (this.#isStopped) return
    try {
      if (!this.#term) await this.#begin()
      else if (!(await this.#rt.db.write((tx) => moveReader(tx, this.#lease(), this.#safePosition())))) this.#lost()
      this.#follow()
    } catch (cause) {
      if (!this.#isStopped) this.#rt.log.error({ err: cause }, 'the lease of the sender cannot be renewed')
    }
  }

  async #begin(): Promise<void> {
    const { db, clock } = this.#rt
    const position = await db.write((tx) => takeLease(tx, this.#lease(), clock.now()))
    if (position === undefined) return
    this.#reached = position
    this.#moved.lose()
    this.#known = await db.position()
    const late = await lateDestinations(db.read)
    this.#term = new AbortController()
    for (const one of late) this.#to(one.server, one)
    await this.#lookForWaiting()
  }

  /** Another node took over, because this one was silent for too long. */
  #lost(): void {
    this.#rt.log.warn({}, 'another node sends to other servers now')
    this.#term?.abort()
    this.#term = undefined
    this.#presence.close()
    for (const destination of this.#destinations.values()) destination.close()
    this.#destinations = new Map()
  }

  #lease(): Lease {
    const { db, clock } = this.#rt
    return { name: READER, holder: this.#holder, node: db.node, until: clock.now() + LEASE_MS }
  }

  /** Up to here, nothing depends on this process; what has nothing to do is forgotten. */
  #safePosition(): number {
    let position = this.#reached
    for (const [server, destination] of this.#destinations) {
      if (destination.isIdle) this.#destinations.delete(server)
      else position = Math.min(position, destination.safePosition ?? position)
    }
    return position
  }

  #follow(): void {
    if (!this.#term || this.#isStopped || this.#following) return
    const ended = () => {
      this.#following = undefined
    }
    this.#following = this.#read()
      .catch((cause: unknown) => this.#readFailed(cause))
      .finally(ended)
  }

  async #read(): Promise<void> {
    const term = this.#term
    while (term && !term.signal.aborted && !this.#isStopped && this.#reached < this.#known) {
      const upTo = this.#known
      const rooms = this.#moved.take()
      try {
        if (!rooms) await this.#lookForWaiting()
        const found = await spread(this.#rt, rooms, { after: this.#reached, upTo }, this.#moved)
        const hasUsers = this.#moved.takeUsers()
        const changes = hasUsers ? await changedDevices(this.#rt, { after: this.#reached, upTo }) : []
        await putDeviceNews(this.#rt, [...found.joins, ...changes])
        if (term.signal.aborted) return
        this.#hand(found)
        this.#reached = upTo
      } catch (cause) {
        this.#moved.lose()
        throw cause
      }
    }
  }

  #hand({ events, receipts }: Stretch): void {
    for (const { servers, ...event } of events) for (const server of servers) this.#to(server)?.offer(event)
    for (const { servers, receipt } of receipts) for (const server of servers) this.#to(server)?.offerReceipt(receipt)
  }

  #readFailed(cause: unknown): void {
    if (this.#isStopped) return
    this.#rt.log.error({ err: cause }, 'reading the log for other servers failed')
  }

  #to(server: ServerName, late?: LateDestination): Destination | undefined {
    const known = this.#destinations.get(server)
    if (known || !this.#term || !maySpeakWith(this.#rt, server)) return known
    const dispatch: Dispatch = {
      rt: this.#rt,
      reached: () => this.#reached,
      stopped: this.#term.signal,
      lookups: this.#lookups,
    }
    const destination = new Destination(dispatch, server, late)
    this.#destinations.set(server, destination)
    return destination
  }
}
