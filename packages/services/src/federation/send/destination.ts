// SPDX-License-Identifier: Apache-2.0
import type { Timer } from '@myelin/kit/clock'
import type { Turns } from '@myelin/kit/turns'
import type { ServerName } from '@myelin/matrix/ids'
import { RemoteError } from '@myelin/remote/remote-error'
import { dropLateDestination, putLateDestination } from '@myelin/storage/destinations'
import type { LateDestination } from '@myelin/storage/destinations'
import { missedEvents } from './missed-events.ts'
import type { Pending } from './missed-events.ts'
import { pauseAfter } from './pause.ts'
import { MOST, sendTransaction } from './transaction.ts'
import type { Sending } from './transaction.ts'

/** What the destinations of one sender share. */
export interface Dispatch {
  readonly rt: Sending
  /** How far the log has been read and its events given to the destinations. */
  readonly reached: () => number
  readonly stopped: AbortSignal
  /** Looking up what was missed is work; not all at once. */
  readonly lookups: Turns
}

const MAX_QUEUE = 500
/** After a shorter outage a server gets all it missed of a room, if that is not too much; after a longer one, the newest. */
const SHORT_OUTAGE_MS = 3_600_000
const QUIET_MS = 10_000
const ODD_MS = 60_000

/**
 * What goes to one server: one transaction after the other.
 *
 * Live, it is handed events and keeps them until they were taken. Once a transaction fails, or too many wait, it keeps
 * only how far the server has come, on disk, and reads what was missed from the log when it tries again.
 */
export class Destination {
  readonly server: ServerName
  readonly #dispatch: Dispatch
  #queue: Pending[] = []
  #late: LateDestination | undefined
  #isLateKept: boolean
  /** While late: what `#queue` holds is all that was missed up to here. */
  #lookedUpTo = 0
  #mostPdus: number = MOST.pdus
  #lastTryTs = 0
  #sent = 0
  #timer: Timer | undefined
  #run: Promise<void> | undefined

  constructor(dispatch: Dispatch, server: ServerName, late?: LateDestination) {
    this.#dispatch = dispatch
    this.server = server
    this.#late = late
    this.#isLateKept = late !== undefined
    if (late && late.retryTs > dispatch.rt.clock.now()) this.#rest(late.retryTs - dispatch.rt.clock.now())
    else this.#wake()
  }

  /** Whether nothing would be lost by forgetting it. */
  get isIdle(): boolean {
    return !this.#run && !this.#late && !this.#timer && this.#queue.length === 0
  }

  /** Everything up to here was taken or is remembered on disk; undefined where that holds for all there is. */
  get safePosition(): number | undefined {
    if (this.#late) return this.#isLateKept ? undefined : this.#late.position
    const [first] = this.#queue
    return first && first.position - 1
  }

  /** Resolves when it rests: nothing to send, or waiting to try again. */
  async resting(): Promise<void> {
    await this.#run
  }

  get isRunning(): boolean {
    return this.#run !== undefined
  }

  /** Sends an event, after those before it. */
  offer(event: Pending): void {
    if (this.#late) return
    this.#queue.push(event)
    if (this.#queue.length > MAX_QUEUE) this.#fallBehind()
    this.#wake()
  }

  /** The server showed that it lives: it is tried again at once, unless it just was. */
  heard(): void {
    if (!this.#timer || this.#dispatch.rt.clock.now() - this.#lastTryTs < QUIET_MS) return
    this.#timer.cancel()
    this.#timer = undefined
    this.#wake()
  }

  /** Stops waiting; what is under way is dropped by the sender's signal. */
  close(): void {
    this.#timer?.cancel()
  }

  #wake(): void {
    if (this.#run || this.#timer || this.#dispatch.stopped.aborted) return
    const ended = () => {
      this.#run = undefined
      if (this.#queue.length > 0) this.#wake()
    }
    this.#run = this.#work()
      .catch((cause: unknown) => this.#failedOddly(cause))
      .finally(ended)
  }

  async #work(): Promise<void> {
    const { stopped } = this.#dispatch
    while (!stopped.aborted) {
      if (this.#late && this.#queue.length === 0 && !(await this.#lookUp(this.#late))) continue
      const events = this.#queue.slice(0, this.#mostPdus)
      if (events.length === 0) return
      if (!(await this.#try(events))) return
    }
  }

  /** Finds what was missed; answers false when that led to a server that misses nothing any more. */
  async #lookUp(late: LateDestination): Promise<boolean> {
    const { rt, reached, lookups } = this.#dispatch
    if (late.position >= reached()) {
      this.#late = undefined
      await rt.db.write((tx) => dropLateDestination(tx, this.server))
      return false
    }
    const upTo = reached()
    const isShort = rt.clock.now() - late.failingSinceTs < SHORT_OUTAGE_MS
    const gap = { after: late.position, upTo, mostPerRoom: isShort ? MOST.pdus : 1 }
    this.#queue = await lookups.run(() => missedEvents(rt, this.server, gap))
    this.#lookedUpTo = upTo
    if (this.#queue.length === 0) this.#late = { ...late, position: upTo }
    return this.#queue.length > 0
  }

  /** Sends these; answers whether to go on. */
  async #try(events: readonly Pending[]): Promise<boolean> {
    const { rt, stopped } = this.#dispatch
    this.#lastTryTs = rt.clock.now()
    const serial = `${this.#lastTryTs} ${this.#sent++}`
    try {
      await untilStopped(stopped, sendTransaction(rt, this.server, { events, edus: [], serial }, stopped))
    } catch (cause) {
      if (stopped.aborted) return false
      if (!(cause instanceof RemoteError)) throw cause
      return this.#refused(cause, events)
    }
    this.#mostPdus = MOST.pdus
    await this.#taken(events)
    return true
  }

  async #taken(events: readonly Pending[]): Promise<void> {
    const late = this.#late
    if (!late) this.#queue = this.#queue.slice(events.length)
    else if (this.#lookedUpTo === 0) await this.#keep({ ...late, position: events.at(-1)?.position ?? late.position })
    else {
      this.#queue = this.#queue.slice(events.length)
      const position = this.#queue.length === 0 ? this.#lookedUpTo : (events.at(-1)?.position ?? late.position)
      await this.#keep({ ...late, position, intervalMs: 0 })
    }
  }

  /** What a server never takes, however often it is sent, must not keep the rest from it. */
  async #refused(cause: RemoteError, events: readonly Pending[]): Promise<boolean> {
    const isUnfit = cause.status === 400 || cause.status === 413
    if (isUnfit && events.length > 1) {
      this.#mostPdus = Math.ceil(events.length / 2)
      return true
    }
    const { rt } = this.#dispatch
    if (isUnfit && events.length === 1) {
      rt.log.warn({ err: cause, server: this.server, room: events[0]?.roomId }, 'a server does not take an event')
      await this.#taken(events)
      return true
    }
    await this.#failed(cause)
    return false
  }

  async #failed(cause: RemoteError): Promise<void> {
    const { rt } = this.#dispatch
    const now = rt.clock.now()
    if (!this.#late) this.#fallBehind()
    const late = this.#late as unknown as LateDestination
    const pause = pauseAfter(rt, late.intervalMs)
    rt.log.info({ err: cause, server: this.server, pauseMs: pause.waitMs }, 'a server did not take a transaction')
    this.#queue = []
    await this.#keep({ ...late, intervalMs: pause.intervalMs, retryTs: now + pause.waitMs })
    this.#rest(pause.waitMs)
  }

  #fallBehind(): void {
    const { rt, reached } = this.#dispatch
    const now = rt.clock.now()
    const position = this.safePosition ?? reached()
    this.#late = { server: this.server, position, failingSinceTs: now, retryTs: now, intervalMs: 0 }
    this.#isLateKept = false
    this.#lookedUpTo = 0
    this.#queue = []
  }

  async #keep(late: LateDestination): Promise<void> {
    this.#late = late
    await this.#dispatch.rt.db.write((tx) => putLateDestination(tx, late))
    this.#isLateKept = true
  }

  #failedOddly(cause: unknown): void {
    if (this.#dispatch.stopped.aborted) return
    this.#dispatch.rt.log.error({ err: cause, server: this.server }, 'sending to a server failed')
    this.#rest(ODD_MS)
  }

  #rest(ms: number): void {
    if (this.#dispatch.stopped.aborted) return
    this.#timer = this.#dispatch.rt.clock.later(ms, () => {
      this.#timer = undefined
      this.#wake()
    })
  }
}

/** What waits for another server must not keep us from stopping. */
function untilStopped<T>(stopped: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new Error('the sender stops'))
    stopped.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => stopped.removeEventListener('abort', stop))
  })
}
