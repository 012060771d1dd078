// SPDX-License-Identifier: Apache-2.0
import { serverOf } from '@myelin/matrix/ids'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { Sending } from './transaction.ts'

/** A typing notification: a local user types in a room, or stopped. */
export interface TypingEdu {
  readonly roomId: RoomId
  readonly userId: UserId
  readonly isTyping: boolean
}

/** The interval after which continued typing is sent again, because other servers expire it. */
const AGAIN_MS = 25_000

/** Tracks which typing was sent, and so which changes are left to send. */
export class OutgoingTyping {
  readonly #rt: Pick<Sending, 'typing' | 'clock' | 'serverName'>
  readonly #sent = new Map<RoomId, Map<UserId, number>>()

  constructor(rt: Pick<Sending, 'typing' | 'clock' | 'serverName'>) {
    this.#rt = rt
  }

  /** Returns the typing changes of a room; they count as sent from then on. */
  newsOf(roomId: RoomId): TypingEdu[] {
    const { typing, clock, serverName } = this.#rt
    const now = clock.now()
    const sent = this.#sent.get(roomId) ?? new Map<UserId, number>()
    const typers = new Set(typing.typersIn(roomId).filter((user) => serverOf(user) === serverName))
    const news: TypingEdu[] = []
    for (const userId of sent.keys()) {
      if (typers.has(userId)) continue
      sent.delete(userId)
      news.push({ roomId, userId, isTyping: false })
    }
    for (const userId of typers) {
      if (now - (sent.get(userId) ?? 0) < AGAIN_MS) continue
      sent.set(userId, now)
      news.push({ roomId, userId, isTyping: true })
    }
    if (sent.size > 0) this.#sent.set(roomId, sent)
    else this.#sent.delete(roomId)
    return news
  }
}
