// SPDX-License-Identifier: Apache-2.0
import { systemClock } from '@myelin/kit/clock'
import type { Timer } from '@myelin/kit/clock'

/** The connection that is watched. */
export interface WatchedConnection {
  /** Returns the number of bytes that the server has sent over it. */
  bytesRead(): number
  /** Returns whether the server, asked over another connection, says that it runs a statement of this one. */
  isAtWork(): Promise<boolean>
  /** Ends the connection; the statements under way fail. */
  destroy(): void
}

const CHECKS = 5

/**
 * Ends a connection over which the server sends nothing for `silenceMs` although a statement is under way, unless it says
 * that the statement runs. A server that hangs, and a network that drops packets, end no connection by themselves.
 *
 * No timer runs while no statement is under way.
 */
export class SilenceWatch {
  readonly #connection: WatchedConnection
  readonly #checkMs: number
  #timer: Timer | undefined
  #underWay = 0
  #bytesRead = 0
  /** The number of checks in a row that found nothing new. */
  #silent = 0

  constructor(connection: WatchedConnection, silenceMs: number) {
    this.#connection = connection
    this.#checkMs = silenceMs / CHECKS
  }

  /** A statement was sent. */
  sent(): void {
    this.#underWay++
    if (this.#timer) return
    this.#silent = 0
    this.#bytesRead = this.#connection.bytesRead()
    this.#checkLater()
  }

  /** A statement was answered, or failed. */
  answered(): void {
    this.#underWay--
  }

  /** Ends the watch; the connection is over. */
  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#underWay = Number.NEGATIVE_INFINITY
  }

  #checkLater(): void {
    this.#timer = systemClock.later(this.#checkMs, () => {
      this.#timer = undefined
      if (this.#underWay > 0) void this.#check()
    })
  }

  async #check(): Promise<void> {
    const bytesRead = this.#connection.bytesRead()
    this.#silent = bytesRead === this.#bytesRead ? this.#silent + 1 : 0
    this.#bytesRead = bytesRead
    if (this.#silent < CHECKS) return this.#checkLater()
    this.#silent = 0
    const isAtWork = await this.#connection.isAtWork()
    const isOver = this.#underWay <= 0
    if (isOver || this.#timer) return
    if (isAtWork || this.#connection.bytesRead() !== bytesRead) return this.#checkLater()
    this.stop()
    this.#connection.destroy()
  }
}
