// SPDX-License-Identifier: Apache-2.0
import type { Timer } from '@myelin/kit/clock'
import type { Semaphore } from '@myelin/kit/semaphore'
import type { UserId } from '@myelin/matrix/ids'
import { clearLatePusher, deletePusher, pushersOf, putLatePusher } from '@myelin/storage/accounts/pushers'
import type { LatePusher, Pusher } from '@myelin/storage/accounts/pushers'
import type { Runtime } from '../../runtime/runtime.ts'
import type { Badges } from './badges.ts'
import { missedPushes } from './missed-pushes.ts'
import type { PendingPush } from './pending-push.ts'
import { badgeNotification, eventNotification, gatewayOf, isWithoutBadge } from './push-content.ts'
import { PushFailure } from './push-gateways.ts'
import type { PushGateways } from './push-gateways.ts'

/** The part of the runtime that push takes. */
export type Pushing = Pick<Runtime, 'db' | 'bus' | 'clock' | 'random' | 'log' | 'config' | 'remote'>

/** The parts that all queues of one sender share. */
export interface PushDispatch {
  readonly rt: Pushing
  readonly gateways: PushGateways
  readonly badges: Badges
  /** Returns the position up to which the log was read and its pushes distributed. */
  readonly reached: () => number
  readonly stopped: AbortSignal
  /** Limits the concurrent lookups of missed pushes. */
  readonly lookups: Semaphore
}

/** From this number of waiting pushes on, a pusher counts as late: its pushes are looked up again later. */
const MAX_QUEUE = 100
/** The positions of the log that are looked up at once for a pusher whose gateway takes pushes. */
const MAX_STRETCH = 100
const FIRST_RETRY_MS = 1_000
const MAX_RETRY_MS = 3_600_000
const ODD_MS = 60_000
/** After so many pushes of a late pusher its position is stored. */
const STORED_EACH = 20

/**
 * Sends one pusher's notifications, one after the other in the order of the log.
 *
 * While the gateway takes them, they are held in memory. Once one fails, or too many wait, only the position is stored, and what
 * was missed is read from the log at the next try: all of it where too many waited, the newest notifications that are still
 * unread where the gateway failed.
 */
export class PusherQueue {
  readonly #dispatch: PushDispatch
  readonly #userId: UserId
  readonly #nid: number
  #queue: PendingPush[] = []
  #late: LatePusher | undefined
  #isLateStored: boolean
  /** While the pusher is late: `#queue` has all that it missed up to this position. */
  #lookedUpTo = 0
  #sinceStored = 0
  #needsBadge = false
  #lastBadge: number | undefined
  #badgeIntervalMs = 0
  #timer: Timer | undefined
  #run: Promise<void> | undefined

  constructor(dispatch: PushDispatch, { userId, nid }: Pick<Pusher, 'userId' | 'nid'>, late?: LatePusher) {
    this.#dispatch = dispatch
    this.#userId = userId
    this.#nid = nid
    this.#late = late
    this.#isLateStored = late !== undefined
    if (late && late.retryTs > dispatch.rt.clock.now()) this.#rest(late.retryTs - dispatch.rt.clock.now())
    else this.#wake()
  }

  /** The queue is idle and can be dropped. */
  get isIdle(): boolean {
    return !this.#run && !this.#late && !this.#timer && this.#queue.length === 0 && !this.#needsBadge
  }

  /** A request is in progress. */
  get isRunning(): boolean {
    return this.#run !== undefined
  }

  /**
   * The position up to which pushes were taken or the pusher's lateness is stored; undefined where that holds for all.
   */
  get safePosition(): number | undefined {
    if (this.#late) return this.#isLateStored ? undefined : this.#late.position
    const [first] = this.#queue
    return first && first.position - 1
  }

  /** Queues a push behind earlier ones. */
  offer(push: PendingPush): void {
    if (!this.#late) {
      this.#queue.push(push)
      if (this.#queue.length > MAX_QUEUE) this.#fallBehind()
    }
    this.#wake()
  }

  /** Sends the badge unless it is as it was, after all that waits. */
  offerBadge(): void {
    this.#needsBadge = true
    this.#wake()
  }

  /** Resolves when there is nothing to send, or the next try is scheduled. */
  async resting(): Promise<void> {
    await this.#run
  }

  /** Cancels the next try; a request in progress is aborted by the sender's signal. */
  close(): void {
    this.#timer?.cancel()
  }

  #wake(): void {
    if (this.#run || this.#timer || this.#dispatch.stopped.aborted) return
    this.#run = this.#work()
      .catch((cause: unknown) => this.#failedOddly(cause))
      .finally(() => {
        this.#run = undefined
        if (this.#late || this.#queue.length > 0 || this.#needsBadge) this.#wake()
      })
  }

  async #work(): Promise<void> {
    const { rt, stopped } = this.#dispatch
    while (!stopped.aborted) {
      const pusher = (await pushersOf(rt.db.read, this.#userId)).find(({ nid }) => nid === this.#nid)
      if (!pusher?.isEnabled) return this.#drop()
      if (this.#late && this.#queue.length === 0) {
        await this.#lookUp(this.#late, pusher)
        continue
      }
      const [push] = this.#queue
      if (push === undefined && !this.#needsBadge) return
      if (!(await (push === undefined ? this.#sendBadge(pusher) : this.#sendPush(pusher, push)))) return
    }
  }

  /** Returns whether to go on; false where the next try is scheduled. */
  async #sendPush(pusher: Pusher, push: PendingPush): Promise<boolean> {
    await this.#jitter()
    // Events from before the pusher was set, or set again, are not pushed.
    if (push.position <= pusher.position) return this.#taken(push)
    const badge = isWithoutBadge(pusher) ? undefined : await this.#dispatch.badges.of(this.#userId)
    const notification = await eventNotification(this.#dispatch.rt, pusher, push, badge)
    if (notification === undefined) return this.#taken(push)
    try {
      await this.#notify(pusher, notification)
    } catch (cause) {
      if (!(cause instanceof PushFailure)) throw cause
      return this.#failed(cause)
    }
    this.#lastBadge = badge
    this.#needsBadge = false
    return this.#taken(push)
  }

  /** Waits for a random time, at most as long as the admin allows. */
  async #jitter(): Promise<void> {
    const { rt, stopped } = this.#dispatch
    const { jitterMs } = rt.config.push
    if (jitterMs === 0) return
    const [byte = 0] = rt.random.bytes(1)
    await new Promise<void>((resolve) => {
      const timer = rt.clock.later((jitterMs * byte) / 255, end)
      stopped.addEventListener('abort', end)
      function end(): void {
        timer.cancel()
        stopped.removeEventListener('abort', end)
        resolve()
      }
    })
  }

  async #sendBadge(pusher: Pusher): Promise<boolean> {
    const { badges, rt } = this.#dispatch
    this.#needsBadge = false
    if (isWithoutBadge(pusher)) return true
    const badge = await badges.of(this.#userId)
    if (badge === this.#lastBadge) return true
    try {
      await this.#notify(pusher, badgeNotification(pusher, badge))
    } catch (cause) {
      if (!(cause instanceof PushFailure)) throw cause
      rt.log.info({ err: cause, user: this.#userId, app: pusher.appId }, 'a badge was not pushed; it is retried later')
      this.#needsBadge = true
      this.#badgeIntervalMs = nextInterval(this.#badgeIntervalMs, cause)
      this.#rest(this.#badgeIntervalMs)
      return false
    }
    this.#lastBadge = badge
    this.#badgeIntervalMs = 0
    return true
  }

  async #notify(pusher: Pusher, notification: Parameters<PushGateways['notify']>[1]): Promise<void> {
    const { rt, gateways, stopped } = this.#dispatch
    const url = gatewayOf(pusher)
    if (!url) return
    const rejected = await gateways.notify(url, notification, stopped)
    if (!rejected.includes(pusher.pushkey)) return
    rt.log.info({ user: this.#userId, app: pusher.appId }, 'the push gateway rejected a pushkey; its pusher is deleted')
    await rt.db.write((tx) => deletePusher(tx, pusher))
  }

  /** Looks up what the pusher missed; ends its lateness where it has caught up. */
  async #lookUp(late: LatePusher, pusher: Pusher): Promise<void> {
    const { rt, reached, lookups } = this.#dispatch
    const end = reached()
    const after = Math.max(late.position, pusher.position)
    const upTo = late.failingSinceTs === 0 ? Math.min(end, after + MAX_STRETCH) : end
    if (after >= end) {
      this.#late = undefined
      return rt.db.write((tx) => clearLatePusher(tx, this.#nid))
    }
    this.#queue = await lookups.run(() => missedPushes(rt.db.read, this.#userId, { after, upTo }, rt.config.push))
    this.#lookedUpTo = upTo
    if (this.#queue.length === 0) this.#late = { ...late, position: upTo }
  }

  async #taken(push: PendingPush): Promise<boolean> {
    // It is first unless the pusher fell behind while it was being sent.
    const isFirst = this.#queue[0] === push
    if (isFirst) this.#queue.shift()
    if (!this.#late) return true
    const isLast = isFirst && this.#queue.length === 0
    const position = isLast ? this.#lookedUpTo : Math.max(this.#late.position, push.position)
    this.#late = { ...this.#late, position, intervalMs: 0 }
    if (isLast || ++this.#sinceStored >= STORED_EACH) await this.#store(this.#late)
    return true
  }

  async #failed(cause: PushFailure): Promise<false> {
    const { rt } = this.#dispatch
    if (!this.#late) this.#fallBehind()
    const late = this.#late as unknown as LatePusher
    const intervalMs = nextInterval(late.intervalMs, cause)
    rt.log.info(
      { err: cause, user: this.#userId, pauseMs: intervalMs },
      'a push gateway did not take a push; it is retried',
    )
    this.#queue = []
    const now = rt.clock.now()
    await this.#store({ ...late, failingSinceTs: late.failingSinceTs || now, intervalMs, retryTs: now + intervalMs })
    this.#rest(intervalMs)
    return false
  }

  #fallBehind(): void {
    const { rt, reached } = this.#dispatch
    const now = rt.clock.now()
    const position = this.safePosition ?? reached()
    this.#late = { nid: this.#nid, userId: this.#userId, position, failingSinceTs: 0, retryTs: now, intervalMs: 0 }
    this.#isLateStored = false
    this.#lookedUpTo = 0
    this.#queue = []
  }

  async #store(late: LatePusher): Promise<void> {
    this.#late = late
    this.#sinceStored = 0
    await this.#dispatch.rt.db.write((tx) => putLatePusher(tx, late))
    this.#isLateStored = true
  }

  /** Forgets everything: the pusher is gone or disabled. */
  #drop(): void {
    this.#queue = []
    this.#late = undefined
    this.#needsBadge = false
  }

  #failedOddly(cause: unknown): void {
    if (this.#dispatch.stopped.aborted) return
    this.#dispatch.rt.log.error({ err: cause, user: this.#userId }, 'a push failed; it is retried')
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

/** Returns the pause before the next try: double the last one, or what the gateway asked for, at most an hour. */
function nextInterval(lastMs: number, { retryMs }: PushFailure): number {
  return Math.min(MAX_RETRY_MS, Math.max(FIRST_RETRY_MS, lastMs * 2, retryMs ?? 0))
}
