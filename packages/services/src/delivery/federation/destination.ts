// SPDX-License-Identifier: Apache-2.0
import { crashPoint } from '@myelin/kit/crash-point'
import type { Timer } from '@myelin/kit/clock'
import type { Semaphore } from '@myelin/kit/semaphore'
import type { ServerName } from '@myelin/matrix/ids'
import { RemoteError } from '@myelin/remote/remote-error'
import { dropLateDestination, putLateDestination } from '@myelin/storage/federation/destinations'
import type { LateDestination } from '@myelin/storage/federation/destinations'
import { dropEdus, waitingEdus } from '@myelin/storage/federation/outgoing-edus'
import type { WaitingEdu } from '@myelin/storage/federation/outgoing-edus'
import type { Receipt } from '@myelin/storage/sync/receipts'
import { deviceListEdusFor, putSentDevices } from './device-list-changes.ts'
import type { SentDevices } from './device-list-changes.ts'
import { missedEvents } from './missed-events.ts'
import type { Pending } from './pending-event.ts'
import { EphemeralEdus } from './ephemeral-edus.ts'
import { backoffAfter } from './backoff.ts'
import type { PresencePush } from './outgoing-presence.ts'
import { MOST, sendTransaction } from './transaction.ts'
import type { TransactionContents, Sending } from './transaction.ts'
import type { TypingEdu } from './outgoing-typing.ts'

/** The parts that all destinations of one sender share. */
export interface Dispatch {
  readonly rt: Sending
  /** Returns the position up to which the log was read and its events distributed. */
  readonly reached: () => number
  readonly stopped: AbortSignal
  /** Limits the concurrent lookups of missed events. */
  readonly lookups: Semaphore
}

const MAX_QUEUE = 500
/** Up to this outage a server gets all missed events of a room, within a limit; after a longer one, the newest only. */
const SHORT_OUTAGE_MS = 3_600_000
/** The most stored EDUs in one transaction; the rest of its EDUs is for those in memory. */
const MAX_WAITING = 60
const QUIET_MS = 10_000
const ODD_MS = 60_000

type Load = Omit<TransactionContents, 'serial'> & {
  readonly waiting: readonly WaitingEdu[]
  readonly news: readonly SentDevices[]
}

/**
 * Sends one server's transactions, one after the other.
 *
 * While the server keeps up, events are held in memory until they are delivered. Once a transaction fails, or too many
 * events wait, only the server's position is stored, and missed events are read from the log at the next try.
 */
export class Destination {
  readonly server: ServerName
  readonly #dispatch: Dispatch
  #queue: Pending[] = []
  /** EDUs may be stored for the server. */
  #hasWaiting = false
  #hasNews = false
  readonly #passing = new EphemeralEdus()
  #late: LateDestination | undefined
  #isLateKept: boolean
  /** While the server is late: `#queue` has all missed events up to this position. */
  #lookedUpTo = 0
  /** Smaller while an event that the server refuses is being isolated. */
  #mostPdus: number = MOST.pdus
  #mostWaiting = MAX_WAITING
  #isApart = false
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

  /** Returns whether the destination has nothing to do and can be dropped. */
  get isIdle(): boolean {
    return (
      !this.#run &&
      !this.#late &&
      !this.#timer &&
      this.#queue.length === 0 &&
      this.#passing.isEmpty &&
      !this.#hasWaiting &&
      !this.#hasNews
    )
  }

  /**
   * Returns the position up to which events were delivered or the server's lateness is stored; undefined where that
   * holds for all events.
   */
  get safePosition(): number | undefined {
    if (this.#late) return this.#isLateKept ? undefined : this.#late.position
    const [first] = this.#queue
    return first && first.position - 1
  }

  /** Resolves when there is nothing to send, or the next try is scheduled. */
  async resting(): Promise<void> {
    await this.#run
  }

  get isRunning(): boolean {
    return this.#run !== undefined
  }

  /** Queues an event behind earlier ones. */
  offer(event: Pending): void {
    if (this.#late) return
    this.#queue.push(event)
    if (this.#queue.length > MAX_QUEUE) this.#fallBehind()
    this.#wake()
  }

  /** Queues typing, unless the server is unreachable. */
  offerTyping(typing: TypingEdu): void {
    if (this.#late) return
    this.#passing.putTyping(typing)
    this.#wake()
  }

  /** Queues presence, unless the server is unreachable. */
  offerPresence(pushes: readonly PresencePush[]): void {
    if (this.#late) return
    this.#passing.putPresence(pushes)
    this.#wake()
  }

  /** Queues a read receipt. */
  offerReceipt(receipt: Receipt): void {
    this.#passing.putReceipt(receipt)
    this.#wake()
  }

  /** Records that EDUs wait for the server on disk. */
  offerWaiting(): void {
    this.#hasWaiting = true
    this.#hasNews = true
    this.#wake()
  }

  /** Records a sign of life: the server is retried at once, unless it just was. */
  retryNow(): void {
    if (!this.#timer || this.#dispatch.rt.clock.now() - this.#lastTryTs < QUIET_MS) return
    this.#timer.cancel()
    this.#timer = undefined
    this.#wake()
  }

  /** Cancels the next try; a request in progress is aborted by the sender's signal. */
  close(): void {
    this.#timer?.cancel()
  }

  #wake(): void {
    if (this.#run || this.#timer || this.#dispatch.stopped.aborted) return
    const ended = () => {
      this.#run = undefined
      // The server may have fallen behind after the run decided what to send.
      const isBehind = this.#late !== undefined
      if (isBehind || this.#queue.length > 0 || !this.#passing.isEmpty || this.#hasWaiting || this.#hasNews)
        this.#wake()
    }
    this.#run = this.#work()
      .catch((cause: unknown) => this.#failedOddly(cause))
      .finally(ended)
  }

  async #work(): Promise<void> {
    const { stopped } = this.#dispatch
    while (!stopped.aborted) {
      if (this.#late && this.#queue.length === 0 && !(await this.#lookUp(this.#late))) continue
      const load = await this.#load()
      if (load.events.length === 0 && load.edus.length === 0) return
      const outcome = await this.#try(load)
      if (outcome === 'stop') return
      if (outcome === 'again') this.#passing.giveBack()
      else await this.#taken(load)
    }
  }

  async #load(): Promise<Load> {
    const events = this.#queue.slice(0, this.#mostPdus)
    if (this.#isApart && events.length > 0) return { events, edus: [], waiting: [], news: [] }
    const waiting = await this.#loadWaiting()
    const news = await this.#loadDeviceNews(MOST.edus - waiting.length)
    const lasting = [...waiting.map(({ edu }) => edu), ...news.flatMap(({ edus }) => edus)]
    return { events, edus: [...lasting, ...this.#passing.take(MOST.edus - lasting.length)], waiting, news }
  }

  async #loadWaiting(): Promise<readonly WaitingEdu[]> {
    if (!this.#hasWaiting) return []
    this.#hasWaiting = false
    const waiting = await waitingEdus(this.#dispatch.rt.db.read, this.server, this.#mostWaiting)
    if (waiting.length > 0) this.#hasWaiting = true
    return waiting
  }

  async #loadDeviceNews(most: number): Promise<readonly SentDevices[]> {
    if (!this.#hasNews) return []
    this.#hasNews = false
    const { rt } = this.#dispatch
    const news = await deviceListEdusFor(rt, this.server, this.#isApart ? 1 : most)
    if (news.length > 0) this.#hasNews = true
    return news
  }

  /** Looks up missed events; returns false where the server turned out to have caught up. */
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

  async #try(load: Load): Promise<'taken' | 'again' | 'stop'> {
    const { rt, stopped } = this.#dispatch
    this.#lastTryTs = rt.clock.now()
    const serial = `${this.#lastTryTs} ${this.#sent++} ${rt.random.token(8)}`
    try {
      await untilStopped(stopped, sendTransaction(rt, this.server, { ...load, serial }, stopped))
      return 'taken'
    } catch (cause) {
      if (stopped.aborted) return 'stop'
      if (!(cause instanceof RemoteError)) throw cause
      if (cause.status === 400 || cause.status === 413) return this.#unfit(cause, load)
      this.#passing.giveBack()
      await this.#failed(cause)
      return 'stop'
    }
  }

  /** Isolates an event or EDU that a server refuses each time, and drops it, so that it does not block the rest. */
  #unfit(cause: RemoteError, { events, edus, waiting }: Load): 'taken' | 'again' {
    if (events.length > 0 && edus.length > 0) this.#isApart = true
    else if (events.length > 1) this.#mostPdus = Math.ceil(events.length / 2)
    else if (waiting.length > 1) this.#mostWaiting = Math.ceil(waiting.length / 2)
    else {
      const { log } = this.#dispatch.rt
      log.warn(
        { err: cause, server: this.server, room: events[0]?.roomId },
        'a server refuses an event or EDU; it is dropped',
      )
      return 'taken'
    }
    return 'again'
  }

  async #taken({ events, waiting, news }: Load): Promise<void> {
    if (events.length > 0) crashPoint('transaction taken')
    this.#mostPdus = MOST.pdus
    this.#mostWaiting = MAX_WAITING
    this.#isApart = false
    const last = waiting.at(-1)
    if (last) await this.#dispatch.rt.db.write((tx) => dropEdus(tx, this.server, last.nid))
    await putSentDevices(this.#dispatch.rt, this.server, news)
    const late = this.#late
    if (!late) this.#queue = this.#queue.slice(events.length)
    else if (this.#lookedUpTo > 0) {
      this.#queue = this.#queue.slice(events.length)
      const position = this.#queue.length === 0 ? this.#lookedUpTo : (events.at(-1)?.position ?? late.position)
      await this.#keep({ ...late, position, intervalMs: 0 })
    } else await this.#keep({ ...late, position: events.at(-1)?.position ?? late.position })
  }

  async #failed(cause: RemoteError): Promise<void> {
    const { rt } = this.#dispatch
    const now = rt.clock.now()
    if (!this.#late) this.#fallBehind()
    const late = this.#late as unknown as LateDestination
    const pause = backoffAfter(rt, late.intervalMs)
    rt.log.info(
      { err: cause, server: this.server, pauseMs: pause.waitMs },
      'a transaction failed; the server is retried later',
    )
    this.#queue = []
    await this.#keep({ ...late, intervalMs: pause.intervalMs, retryTs: now + pause.waitMs })
    this.#rest(pause.waitMs)
  }

  #fallBehind(): void {
    const { rt, reached } = this.#dispatch
    const now = rt.clock.now()
    const position = this.safePosition ?? reached()
    this.#passing.dropFleeting()
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

/** Rejects when the sender stops, so that a pending request does not delay the shutdown. */
function untilStopped<T>(stopped: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new Error('the sender is stopping'))
    stopped.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => stopped.removeEventListener('abort', stop))
  })
}
