// SPDX-License-Identifier: Apache-2.0
import type { Timer } from '@myelin/kit/clock'
import { serverOf } from '@myelin/matrix/ids'
import type { ServerName, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { joinedServers } from '@myelin/storage/rooms/members/joined-servers'
import { cachedMemberships } from '@myelin/storage/rooms/members/members'
import { presenceOf } from '@myelin/storage/sync/presence'
import { presenceContent } from '../../runtime/presence/show-presence.ts'
import type { Sending } from './transaction.ts'

/** What is told together. */
const GATHER_MS = 1_000
/** So soon who was told often is looked at again. */
const AGAIN_MS = 5_000
/** A server is told no more often in the long run, */
const APART_MS = 30_000
/** but so often in a row, so that what changes now and then is seen at once. */
const IN_A_ROW = 5
/** So many servers are told at once; the others wait for the next time. */
const SERVERS_AT_ONCE = 50
/** More than this is not remembered: presence is lost rather than late. */
const MAX_WAITING = 1_000
const MAX_ROOMS = 100
/** Of rooms on more servers than this nobody is told. */
const MOST_SERVERS = 200

/** An entry of an `m.presence` EDU. */
export type PresencePush = JsonObject & { readonly user_id: UserId }

/** What one server is to be told: whose presence, and how close the closest room is that they share. */
type Waiting = { readonly users: Set<UserId>; distance: number }

/**
 * Gathers how present our users are for other servers: each is told the newest of each user, at most twice a minute but
 * for a few times in a row, a bounded number of servers at once, those in the smallest rooms first. In very large rooms
 * nobody is told.
 */
export class OutgoingPresence {
  readonly #rt: Sending
  readonly #tell: (server: ServerName, pushes: readonly PresencePush[]) => void
  readonly #changed = new Set<UserId>()
  readonly #waiting = new Map<ServerName, Waiting>()
  /** When the tellings of a server, each of which counts for so long, will all have run out. */
  readonly #toldUntil = new Map<ServerName, number>()
  #timer: (Timer & { readonly ts: number }) | undefined
  #flushing: Promise<void> | undefined

  constructor(rt: Sending, tell: (server: ServerName, pushes: readonly PresencePush[]) => void) {
    this.#rt = rt
    this.#tell = tell
  }

  /** A user's presence changed. */
  hear(user: UserId): void {
    if (serverOf(user) !== this.#rt.serverName) return
    this.#changed.add(user)
    this.#later(GATHER_MS)
  }

  /** Resolves when what was due has been handed on. */
  async settled(): Promise<void> {
    await this.#flushing
  }

  /** Forgets everything. */
  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#changed.clear()
    this.#waiting.clear()
  }

  #later(ms: number): void {
    const ts = this.#rt.clock.now() + ms
    if (this.#timer && this.#timer.ts <= ts) return
    this.#timer?.cancel()
    const timer = this.#rt.clock.later(ms, () => {
      this.#timer = undefined
      this.#flushing = this.#flush().catch((cause: unknown) =>
        this.#rt.log.error({ err: cause }, 'other servers could not be told of a presence'),
      )
    })
    this.#timer = { ts, cancel: () => timer.cancel() }
  }

  async #flush(): Promise<void> {
    const users = [...this.#changed]
    this.#changed.clear()
    for (const user of users) await this.#spread(user)
    const now = this.#rt.clock.now()
    for (const [server, until] of this.#toldUntil) if (until <= now) this.#toldUntil.delete(server)
    const due = [...this.#waiting].filter(([server]) => this.#untilOf(server, now) <= now + IN_A_ROW * APART_MS)
    for (const [server, { users: told }] of due.toSorted(byDistance).slice(0, SERVERS_AT_ONCE)) {
      this.#waiting.delete(server)
      this.#toldUntil.set(server, this.#untilOf(server, now))
      const presences = await presenceOf(this.#rt.db.read, [...told])
      this.#tell(
        server,
        presences.map((presence) => ({
          user_id: presence.userId,
          // Unlike clients, servers are always told.
          last_active_ago: Math.max(0, now - presence.lastActiveTs),
          ...presenceContent(presence, now),
        })),
      )
    }
    if (this.#waiting.size > 0) this.#later(AGAIN_MS)
  }

  #untilOf(server: ServerName, now: number): number {
    return Math.max(now, this.#toldUntil.get(server) ?? 0) + APART_MS
  }

  async #spread(user: UserId): Promise<void> {
    const { db, serverName } = this.#rt
    const joined = (await cachedMemberships(db.read, user)).filter(({ membership }) => membership === 'join')
    for (const { roomId } of joined.slice(0, MAX_ROOMS)) {
      const servers = await joinedServers(db.read, roomId)
      if (servers.size > MOST_SERVERS) continue
      for (const server of servers.keys()) if (server !== serverName) this.#put(server, user, servers.size)
    }
  }

  #put(server: ServerName, user: UserId, distance: number): void {
    const waiting = this.#waiting.get(server)
    if (!waiting && this.#waiting.size >= MAX_WAITING) return
    const known = waiting ?? { users: new Set<UserId>(), distance }
    known.distance = Math.min(known.distance, distance)
    known.users.add(user)
    this.#waiting.set(server, known)
  }
}

const byDistance = ([, a]: readonly [ServerName, Waiting], [, b]: readonly [ServerName, Waiting]) =>
  a.distance - b.distance
