// SPDX-License-Identifier: Apache-2.0
import { serverOf } from '@myelin/matrix/ids'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { Sending } from './transaction.ts'

/** That a user of ours types in a room, or no longer does. */
export interface TypingEdu {
  readonly roomId: RoomId
  readonly userId: UserId
  readonly isTyping: boolean
}

/** Other servers forget who types after a while; who goes on typing is told again so often. */
const AGAIN_MS = 25_000

/** Knows what other servers were told of who types, and so what is news to them. */
export class OutgoingTyping {
  readonly #rt: Pick<Sending, 'typing' | 'clock' | 'serverName'>
  readonly #told = new Map<RoomId, Map<UserId, number>>()

  constructor(rt: Pick<Sending, 'typing' | 'clock' | 'serverName'>) {
    this.#rt = rt
  }

  /** What there is to tell of a room; it counts as told from here on. */
  newsOf(roomId: RoomId): TypingEdu[] {
    const { typing, clock, serverName } = this.#rt
    const now = clock.now()
    const told = this.#told.get(roomId) ?? new Map<UserId, number>()
    const typers = new Set(typing.typersIn(roomId).filter((user) => serverOf(user) === serverName))
    const news: TypingEdu[] = []
    for (const userId of told.keys()) {
      if (typers.has(userId)) continue
      told.delete(userId)
      news.push({ roomId, userId, isTyping: false })
    }
    for (const userId of typers) {
      if (now - (told.get(userId) ?? 0) < AGAIN_MS) continue
      told.set(userId, now)
      news.push({ roomId, userId, isTyping: true })
    }
    if (told.size > 0) this.#told.set(roomId, told)
    else this.#told.delete(roomId)
    return news
  }
}
