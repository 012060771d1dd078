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
import type { Pending } from './missed-events.ts'
import { EphemeralEdus } from './ephemeral-edus.ts'
import { backoffAfter } from './backoff.ts'
import type { PresencePush } from './outgoing-presence.ts'
import { MOST, sendTransaction } from './transaction.ts'
import type { TransactionContents, Sending } from './transaction.ts'
import type { TypingEdu } from './outgoing-typing.ts'

/** What the destinations of one sender share. */
export interface Dispatch {
  readonly rt: Sending
  /** How far the log has been read and its events given to the destinations. */
  readonly reached: () => number
  readonly stopped: AbortSignal
  /** Looking up what was missed is work; not all at once. */
  readonly lookups: Semaphore
}

const MAX_QUEUE = 500
/** After a shorter outage a server gets all it missed of a room, if that is not too much; after a longer one, the newest. */
const SHORT_OUTAGE_MS = 3_600_000
/** Of what waits on disk; the rest is for what does not. */
const MOST_WAITING = 60
const QUIET_MS = 10_000
const ODD_MS = 60_000

type Load = Omit<TransactionContents, 'serial'> & {
  readonly waiting: readonly WaitingEdu[]
  readonly news: readonly SentDevices[]
}

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
  /** Whether EDUs may wait for it on disk. */
  #hasWaiting = false
  #hasNews = false
  readonly #passing = new EphemeralEdus()
  #late: LateDestination | undefined
  #isLateKept: boolean
  /** While late: what `#queue` holds is all that was missed up to here. */
  #lookedUpTo = 0
  /** Smaller while something the server refuses is being looked for. */
  #mostPdus: number = MOST.pdus
  #mostWaiting = MOST_WAITING
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

  /** Whether nothing would be lost by forgetting it. */
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

  /** Says who types, if the server is there to hear it. */
  offerTyping(typing: TypingEdu): void {
    if (this.#late) return
    this.#passing.putTyping(typing)
    this.#wake()
  }

  /** Says how present people are, if the server is there to hear it. */
  offerPresence(pushes: readonly PresencePush[]): void {
    if (this.#late) return
    this.#passing.putPresence(pushes)
    this.#wake()
  }

  /** Says how far somebody has read. */
  offerReceipt(receipt: Receipt): void {
    this.#passing.putReceipt(receipt)
    this.#wake()
  }

  /** Something that must not get lost waits for the server on disk. */
  offerWaiting(): void {
    this.#hasWaiting = true
    this.#hasNews = true
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
      // It may have fallen behind after the run had looked at what there is to send.
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
      const fate = await this.#try(load)
      if (fate === 'stop') return
      if (fate === 'again') this.#passing.giveBack()
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

  /** What a server never takes, however often it is sent, must not keep the rest from it: it is looked for, and left out. */
  #unfit(cause: RemoteError, { events, edus, waiting }: Load): 'taken' | 'again' {
    if (events.length > 0 && edus.length > 0) this.#isApart = true
    else if (events.length > 1) this.#mostPdus = Math.ceil(events.length / 2)
    else if (waiting.length > 1) this.#mostWaiting = Math.ceil(waiting.length / 2)
    else {
      const { log } = this.#dispatch.rt
      log.warn({ err: cause, server: this.server, room: events[0]?.roomId }, 'a server does not take this')
      return 'taken'
    }
    return 'again'
  }

  async #taken({ events, waiting, news }: Load): Promise<void> {
    if (events.length > 0) crashPoint('transaction taken')
    this.#mostPdus = MOST.pdus
    this.#mostWaiting = MOST_WAITING
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
    rt.log.info({ err: cause, server: this.server, pauseMs: pause.waitMs }, 'a server did not take a transaction')
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

/** What waits for another server must not keep us from stopping. */
function untilStopped<T>(stopped: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new Error('the sender stops'))
    stopped.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => stopped.removeEventListener('abort', stop))
  })
}
