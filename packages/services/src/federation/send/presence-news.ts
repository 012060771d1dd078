// SPDX-License-Identifier: Apache-2.0
import type { Timer } from '@myelin/kit/clock'
import { serverOf } from '@myelin/matrix/ids'
import type { ServerName, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { joinedServers } from '@myelin/storage/joined-servers'
import { knownMemberships } from '@myelin/storage/members'
import { presenceOf } from '@myelin/storage/presence'
import { presenceContent } from '../../presence/show-presence.ts'
import type { Sending } from './transaction.ts'

/** What is told together. */
const GATHER_MS = 5_000
/** A server is told no more often. */
const APART_MS = 30_000
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
 * Gathers how present our users are for other servers: each is told the newest of each user, at most twice a minute, a
 * bounded number of servers at once, those in the smallest rooms first. In very large rooms nobody is told.
 */
export class PresenceNews {
  readonly #rt: Sending
  readonly #tell: (server: ServerName, pushes: readonly PresencePush[]) => void
  readonly #changed = new Set<UserId>()
  readonly #waiting = new Map<ServerName, Waiting>()
  readonly #lastTold = new Map<ServerName, number>()
  #timer: Timer | undefined
  #flushing: Promise<void> | undefined

  constructor(rt: Sending, tell: (server: ServerName, pushes: readonly PresencePush[]) => void) {
    this.#rt = rt
    this.#tell = tell
  }

  /** A user's presence changed. */
  hear(user: UserId): void {
    if (serverOf(user) !== this.#rt.serverName) return
    this.#changed.add(user)
    this.#later()
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

  #later(): void {
    this.#timer ??= this.#rt.clock.later(GATHER_MS, () => {
      this.#timer = undefined
      this.#flushing = this.#flush().catch((cause: unknown) =>
        this.#rt.log.error({ err: cause }, 'other servers could not be told of a presence'),
      )
    })
  }

  async #flush(): Promise<void> {
    const users = [...this.#changed]
    this.#changed.clear()
    for (const user of users) await this.#spread(user)
    const now = this.#rt.clock.now()
    for (const [server, ts] of this.#lastTold) if (now - ts >= APART_MS) this.#lastTold.delete(server)
    const due = [...this.#waiting].filter(([server]) => !this.#lastTold.has(server))
    for (const [server, { users: told }] of due.toSorted(byDistance).slice(0, SERVERS_AT_ONCE)) {
      this.#waiting.delete(server)
      this.#lastTold.set(server, now)
      const presences = await presenceOf(this.#rt.db.read, [...told])
      this.#tell(
        server,
        presences.map((presence) => ({ user_id: presence.userId, ...presenceContent(presence, now) })),
      )
    }
    if (this.#waiting.size > 0) this.#later()
  }

  async #spread(user: UserId): Promise<void> {
    const { db, serverName } = this.#rt
    const joined = (await knownMemberships(db.read, user)).filter(({ membership }) => membership === 'join')
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
