// SPDX-License-Identifier: Apache-2.0
import { systemClock } from '@myelin/kit/clock'
import type { Timer } from '@myelin/kit/clock'

/** A connection to watch. */
export interface WatchedConnection {
  /** Returns the number of bytes received over the connection. */
  bytesRead(): number
  /** Queries over another connection whether the server runs a statement of this one. */
  isAtWork(): Promise<boolean>
  /** Closes the connection; pending statements fail. */
  destroy(): void
}

const CHECKS = 5

/**
 * Closes a connection that receives nothing for `silenceMs` during a statement, unless the server reports that the statement
 * runs. Neither a hanging server nor a network that drops packets closes a connection.
 *
 * No timer runs while no statement is pending.
 */
export class SilenceWatch {
  readonly #connection: WatchedConnection
  readonly #checkMs: number
  #timer: Timer | undefined
  #underWay = 0
  #bytesRead = 0
  /** The number of consecutive checks without new bytes. */
  #silent = 0

  constructor(connection: WatchedConnection, silenceMs: number) {
    this.#connection = connection
    this.#checkMs = silenceMs / CHECKS
  }

  /** Records that a statement was sent. */
  sent(): void {
    this.#underWay++
    if (this.#timer) return
    this.#silent = 0
    this.#bytesRead = this.#connection.bytesRead()
    this.#checkLater()
  }

  /** Records that a statement was answered or failed. */
  answered(): void {
    this.#underWay--
  }

  /** Ends the watch of a closed connection. */
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
