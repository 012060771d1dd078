// SPDX-License-Identifier: Apache-2.0
import { writeSync } from 'node:fs'
import { systemClock } from '@myelin/kit/clock'
import { createLog } from '@myelin/kit/log'
import type { AdjustableLog } from '@myelin/kit/log'
import type { LogSettings } from './config/sections/observation.ts'

// The bytes that wait for a reader that is too slow; a line beyond them is lost.
const MAX_WAITING_BYTES = 1024 * 1024
const RETRY_MS = 50

/**
 * Writes lines to a file descriptor, at once and in order. It never throws: a line that the system refuses (disk full, broken
 * pipe) is dropped, and the number of such lines is reported once a line can be written again.
 */
export class LineOutput {
  readonly #fd: number
  readonly #reportLost: (lines: number) => void
  #waiting: Buffer = Buffer.alloc(0)
  #lost = 0
  #isRetryDue = false

  /** `reportLost` is called after the first line that was written again. */
  constructor(fd: number, reportLost: (lines: number) => void) {
    this.#fd = fd
    this.#reportLost = reportLost
  }

  /** Writes a line, which comes with its line break. */
  write(line: string): void {
    const bytes = Buffer.from(line)
    if (this.#waiting.length + bytes.length > MAX_WAITING_BYTES) this.#lost++
    else this.#flush(this.#waiting.length === 0 ? bytes : Buffer.concat([this.#waiting, bytes]))
  }

  #flush(bytes: Buffer): void {
    this.#waiting = bytes
    try {
      while (this.#waiting.length > 0) this.#waiting = this.#waiting.subarray(writeSync(this.#fd, this.#waiting))
    } catch (cause) {
      // A pipe whose reader is slow takes more later; anything else is final for these lines.
      if ((cause as NodeJS.ErrnoException).code === 'EAGAIN') return this.#retryLater()
      this.#lost += linesIn(this.#waiting)
      this.#waiting = Buffer.alloc(0)
      return
    }
    this.#reportOnce()
  }

  #retryLater(): void {
    if (this.#isRetryDue) return
    this.#isRetryDue = true
    const retry = () => {
      this.#isRetryDue = false
      this.#flush(this.#waiting)
    }
    systemClock.later(RETRY_MS, retry)
  }

  #reportOnce(): void {
    const lost = this.#lost
    this.#lost = 0
    if (lost > 0) this.#reportLost(lost)
  }
}

function linesIn(bytes: Buffer): number {
  let lines = 0
  for (const byte of bytes) if (byte === 0x0a) lines++
  return lines
}

/** Returns a log on standard output. A line that standard output refuses is lost; a later line reports the loss. */
export function createStandardLog(settings: LogSettings): AdjustableLog {
  const output = new LineOutput(1, (lines) => log.warn({ lines }, 'log lines were lost: the log could not be written'))
  const log = createLog(settings, output)
  return log
}
