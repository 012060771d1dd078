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

/** The time for which presence changes are gathered. */
const GATHER_MS = 1_000
/** The delay before a server at its rate limit is tried again. */
const AGAIN_MS = 5_000
/** The average interval between two presence EDUs to a server, */
const APART_MS = 30_000
/** and how many may follow each other at once. */
const IN_A_ROW = 5
/** The most servers that get presence at once; the others wait. */
const SERVERS_AT_ONCE = 50
/** The most pending entries; further presence is dropped rather than late. */
const MAX_WAITING = 1_000
const MAX_ROOMS = 100
/** Presence is not sent to rooms on more servers than this. */
const MAX_SERVERS = 200

/** An entry of an `m.presence` EDU. */
export type PresencePush = JsonObject & { readonly user_id: UserId }

/** The presence to send to one server: the users, and the size of the smallest common room. */
type Waiting = { readonly users: Set<UserId>; distance: number }

/**
 * Gathers presence of local users for other servers. Each server gets the newest of each user, at a limited rate, a
 * bounded number of servers at once, those in the smallest rooms first. Very large rooms are excluded.
 */
export class OutgoingPresence {
  readonly #rt: Sending
  readonly #send: (server: ServerName, pushes: readonly PresencePush[]) => void
  readonly #changed = new Set<UserId>()
  readonly #waiting = new Map<ServerName, Waiting>()
  /** The time at which the recent EDUs to a server no longer count against its rate. */
  readonly #sentUntil = new Map<ServerName, number>()
  #timer: (Timer & { readonly ts: number }) | undefined
  #flushing: Promise<void> | undefined

  constructor(rt: Sending, send: (server: ServerName, pushes: readonly PresencePush[]) => void) {
    this.#rt = rt
    this.#send = send
  }

  /** Records a presence change. */
  record(user: UserId): void {
    if (serverOf(user) !== this.#rt.serverName) return
    this.#changed.add(user)
    this.#later(GATHER_MS)
  }

  /** Resolves when all due presence has been handed over. */
  async settled(): Promise<void> {
    await this.#flushing
  }

  /** Drops everything. */
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
        this.#rt.log.error({ err: cause }, 'presence could not be sent to other servers'),
      )
    })
    this.#timer = { ts, cancel: () => timer.cancel() }
  }

  async #flush(): Promise<void> {
    const users = [...this.#changed]
    this.#changed.clear()
    for (const user of users) await this.#spread(user)
    const now = this.#rt.clock.now()
    for (const [server, until] of this.#sentUntil) if (until <= now) this.#sentUntil.delete(server)
    const due = [...this.#waiting].filter(([server]) => this.#untilOf(server, now) <= now + IN_A_ROW * APART_MS)
    for (const [server, { users: changed }] of due.toSorted(byDistance).slice(0, SERVERS_AT_ONCE)) {
      this.#waiting.delete(server)
      this.#sentUntil.set(server, this.#untilOf(server, now))
      const presences = await presenceOf(this.#rt.db.read, [...changed])
      this.#send(
        server,
        presences.map((presence) => ({
          user_id: presence.userId,
          // Unlike to clients, it is always sent to servers.
          last_active_ago: Math.max(0, now - presence.lastActiveTs),
          ...presenceContent(presence, now),
        })),
      )
    }
    if (this.#waiting.size > 0) this.#later(AGAIN_MS)
  }

  #untilOf(server: ServerName, now: number): number {
    return Math.max(now, this.#sentUntil.get(server) ?? 0) + APART_MS
  }

  async #spread(user: UserId): Promise<void> {
    const { db, serverName } = this.#rt
    const joined = (await cachedMemberships(db.read, user)).filter(({ membership }) => membership === 'join')
    for (const { roomId } of joined.slice(0, MAX_ROOMS)) {
      const servers = await joinedServers(db.read, roomId)
      if (servers.size > MAX_SERVERS) continue
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
