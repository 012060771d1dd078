// SPDX-License-Identifier: Apache-2.0
import { topics } from '@myelin/storage/engine/topics'
import { owedInvites } from '@myelin/storage/rooms/owed-invites'
import type { OwedInvite } from '@myelin/storage/rooms/owed-invites'
import { owedGuestChecks } from '@myelin/storage/rooms/owed-guest-checks'
import { owingRemovals } from '@myelin/storage/rooms/owed-redactions'
import { checkGuests } from '../rooms/owed-guest-leaves.ts'
import { sendOwedInvites } from '../rooms/owed-invites.ts'
import { redactOwed } from '../rooms/append/redact-removed.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { LogFollower } from './log-follower.ts'

const MAX_AT_ONCE = 100
const MIN_PAUSE_MS = 1_000

/**
 * Finishes what committed changes owe, on one node: redactions of removed users, leaves of guests, and invites of new rooms. Mostly
 * the node of the request does it first; what a node that died has left is done here.
 */
export class OwedWork {
  readonly #rt: Runtime
  readonly #follower: LogFollower

  constructor(rt: Runtime) {
    this.#rt = rt
    this.#follower = new LogFollower(rt, {
      name: 'owed work',
      concerns: (hint) => hint.topics.has(topics.owedWork),
      follow: (_, term) => this.#follow(term),
    })
  }

  /** Resolves when nothing is to be done now. */
  settled(): Promise<void> {
    return this.#follower.settled()
  }

  /** Finishes the unit under way. */
  close(): Promise<void> {
    return this.#follower.close()
  }

  async #follow(term: AbortSignal): Promise<number | undefined> {
    const { db } = this.#rt
    for (let owing = [0]; owing.length > 0 && !term.aborted; ) {
      owing = await owingRemovals(db.read, MAX_AT_ONCE)
      for (const removal of owing) await redactOwed(this.#rt, removal, term)
    }
    for (let rooms = await owedGuestChecks(db.read, MAX_AT_ONCE); rooms.length > 0 && !term.aborted; ) {
      for (const roomId of rooms) await checkGuests(this.#rt, roomId, term)
      rooms = await owedGuestChecks(db.read, MAX_AT_ONCE)
    }
    return this.#sendInvites(term)
  }

  /** Returns in how many milliseconds the next invite is due. */
  async #sendInvites(term: AbortSignal): Promise<number | undefined> {
    const { db, clock } = this.#rt
    while (!term.aborted) {
      const owed = await owedInvites(db.read, MAX_AT_ONCE)
      const due = owed.filter(({ dueTs }) => dueTs <= clock.now())
      if (due.length === 0) return owed[0] && Math.max(MIN_PAUSE_MS, owed[0].dueTs - clock.now())
      for (const [roomId, invites] of Map.groupBy(due, (invite: OwedInvite) => invite.roomId)) {
        const [first] = invites
        if (!first || term.aborted) break
        const { sender, isDirect } = first
        await sendOwedInvites(this.#rt, { roomId, sender, isDirect, targets: invites.map(({ target }) => target) })
      }
    }
    return undefined
  }
}
