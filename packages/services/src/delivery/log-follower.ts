// SPDX-License-Identifier: Apache-2.0
import type { Hint } from '@myelin/kit/bus'
import type { Timer } from '@myelin/kit/clock'
import { dropLease, moveReader, takeLease } from '@myelin/storage/engine/readers'
import type { Lease } from '@myelin/storage/engine/readers'
import { topics } from '@myelin/storage/engine/topics'
import type { Runtime } from '../runtime/runtime.ts'

/** A part of the log, after one position and up to another. */
export interface Stretch {
  readonly after: number
  readonly upTo: number
}

/** A time in which a follower does nothing, whatever moves: where each run costs too much, or others need the processor. */
export interface Rest {
  readonly restMs: number
}

/** The work of one follower of the log. */
export interface LogTask {
  /** The name of its lease and cursor; of the nodes that share a database one does the task of a name. */
  readonly name: string
  /**
   * The time for which a hanging node keeps the task from the others; 30 s by default. A dead node's lease is free at
   * once.
   */
  readonly leaseMs?: number
  /** Receives every hint before the log is read, also while another node holds the lease. */
  onHint?(hint: Hint): void
  /** Returns whether a hint may mean work for the task; if not, the stretch is skipped. True by default. */
  concerns?(hint: Hint): boolean
  /** The lease was taken, with the cursor at a position. The signal aborts when the lease is over. */
  begin?(term: AbortSignal, cursor: number): Promise<void>
  /**
   * Handles a stretch of the log. It is repeated with back-off after a rejection, and after a crash, so it must be
   * idempotent. Returns in how many milliseconds to run again although nothing moved, or for how long not to run; undefined
   * for neither.
   */
  follow(stretch: Stretch, term: AbortSignal): Promise<number | Rest | undefined>
  /** Returns the position up to which all work is durable, at most `reached`; that becomes the cursor. */
  safePosition?(reached: number): number
  /** The lease is over: another node took it, or the follower closes. */
  end?(): void
}

type Needs = Pick<Runtime, 'db' | 'bus' | 'clock' | 'random' | 'log'>

const LEASE_MS = 30_000
const FIRST_RETRY_MS = 1_000
const MAX_RETRY_MS = 60_000

/**
 * Runs a task over the log: on one node at a time, from a durable cursor on, each stretch at least once, in order.
 *
 * It takes and renews the lease, moves the cursor, and retries with back-off. Hints only wake it: everything between the
 * cursor and the end of the log is followed when the lease is taken.
 */
export class LogFollower {
  readonly #rt: Needs
  readonly #task: LogTask
  readonly #holder: string
  readonly #leaseMs: number
  readonly #stopListening: () => void
  #isClosing = false
  /** Aborts when the lease is over; undefined while another node holds it. */
  #term: AbortController | undefined
  /** Followed up to here; there is work up to `wanted`; the log is known up to `known`. */
  #reached = 0
  #wanted = 0
  #known = 0
  #isDue = false
  #following: Promise<void> | undefined
  #renewing: Promise<void>
  #renewal: Timer
  /** The timer of the next run. While it is a retry or a rest, hints start no run. */
  #again: { readonly timer: Timer; readonly kind: 'run' | 'retry' | 'rest' } | undefined
  #failures = 0

  constructor(rt: Needs, task: LogTask) {
    this.#rt = rt
    this.#task = task
    this.#holder = rt.random.token(16)
    this.#leaseMs = task.leaseMs ?? LEASE_MS
    this.#stopListening = rt.bus.listen((hint) => this.#onHint(hint))
    this.#renewal = this.#renewLater()
    this.#renewing = this.#renew()
  }

  /** The signal of the present lease; undefined while this node does not hold it. */
  get term(): AbortSignal | undefined {
    return this.#term?.signal
  }

  /** The position up to which the log was followed. */
  get reached(): number {
    return this.#reached
  }

  /** It is following the log, or has something to follow. */
  get isBusy(): boolean {
    return this.#following !== undefined || this.#hasWork()
  }

  /** Resolves when all that is known of the log was followed, or waits for another try. */
  async settled(): Promise<void> {
    do {
      await this.#renewing
      await this.#following
    } while (this.isBusy)
  }

  /** Stops following and waits for the stretch under way. {@link close} then gives the lease back. */
  async stop(): Promise<void> {
    this.#isClosing = true
    this.#renewal.cancel()
    this.#again?.timer.cancel()
    this.#stopListening()
    await this.#renewing
    this.#term?.abort()
    await this.#following
  }

  /** Stops, keeps the cursor, and gives the lease back, so that another node follows at once. */
  async close(): Promise<void> {
    await this.stop()
    if (!this.#term) return
    const cursor = this.#cursor()
    this.#term = undefined
    this.#task.end?.()
    await this.#rt.db.write(async (tx) => {
      await moveReader(tx, this.#lease(), cursor)
      await dropLease(tx, this.#task.name, this.#holder)
    })
  }

  /** Runs the task now, although nothing moved; a rest ends. */
  run(): void {
    this.#isDue = true
    if (this.#again?.kind === 'rest') this.#cancelAgain()
    this.#follow()
  }

  /** Writes the cursor now; it is written every ten seconds by itself, and what comes after it is followed again after a crash. */
  saveCursor(): void {
    this.#renewNow()
  }

  #onHint(hint: Hint): void {
    if (hint.topics.has(topics.leases)) this.#renewNow()
    this.#task.onHint?.(hint)
    this.#known = Math.max(this.#known, hint.position)
    if (this.#task.concerns && !hint.topics.has('*') && !this.#task.concerns(hint)) return
    this.#wanted = Math.max(this.#wanted, hint.position)
    if (hint.position === 0) this.#isDue = true
    this.#follow()
  }

  #renewLater(): Timer {
    return this.#rt.clock.later(this.#leaseMs / 3, () => {
      this.#renewal = this.#renewLater()
      this.#renewNow()
    })
  }

  #renewNow(): void {
    this.#renewing = this.#renewing.then(() => this.#renew())
  }

  async #renew(): Promise<void> {
    if (this.#isClosing) return
    try {
      if (!this.#term) await this.#begin()
      else if (!(await this.#rt.db.write((tx) => moveReader(tx, this.#lease(), this.#cursor())))) this.#lost()
      this.#follow()
    } catch (cause) {
      if (!this.#isClosing)
        this.#rt.log.error({ err: cause, follower: this.#task.name }, 'the lease of a log follower cannot be renewed')
    }
  }

  async #begin(): Promise<void> {
    const { db, clock } = this.#rt
    const cursor = await db.write((tx) => takeLease(tx, this.#lease(), clock.now()))
    if (cursor === undefined) return
    this.#reached = cursor
    const position = await db.position()
    this.#known = this.#wanted = Math.max(this.#known, cursor, position)
    this.#isDue = true
    const term = new AbortController()
    this.#term = term
    try {
      await this.#task.begin?.(term.signal, cursor)
    } catch (cause) {
      this.#lost()
      throw cause
    }
  }

  #lost(): void {
    this.#rt.log.warn({ follower: this.#task.name }, 'another node took the lease of a log follower')
    this.#term?.abort()
    this.#term = undefined
    this.#task.end?.()
  }

  #lease(): Lease {
    const { db, clock } = this.#rt
    return { name: this.#task.name, holder: this.#holder, node: db.node, until: clock.now() + this.#leaseMs }
  }

  #cursor(): number {
    // Stretches that do not concern the task are skipped.
    if (!this.#following && this.#reached >= this.#wanted) this.#reached = Math.max(this.#reached, this.#known)
    return this.#task.safePosition?.(this.#reached) ?? this.#reached
  }

  #hasWork(): boolean {
    if (!this.#term || this.#isClosing || (this.#again && this.#again.kind !== 'run')) return false
    return this.#isDue || this.#reached < this.#wanted
  }

  #follow(): void {
    if (this.#following || !this.#hasWork()) return
    this.#following = this.#run().finally(() => {
      this.#following = undefined
      this.#follow()
    })
  }

  async #run(): Promise<void> {
    const term = this.#term
    if (!term) return
    this.#cancelAgain()
    this.#isDue = false
    const stretch = { after: this.#reached, upTo: Math.max(this.#reached, this.#known) }
    try {
      const again = await this.#task.follow(stretch, term.signal)
      this.#failures = 0
      if (term.signal.aborted) return
      this.#reached = stretch.upTo
      if (typeof again === 'number') this.#runAfter(again, 'run')
      // A call of `run` in the meantime ends the rest before it begins.
      else if (again && !this.#isDue) this.#runAfter(again.restMs, 'rest')
    } catch (cause) {
      if (term.signal.aborted) return
      const retryMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures++, 20))
      this.#rt.log.error({ err: cause, follower: this.#task.name, retryMs }, 'a log follower failed; it tries again')
      this.#isDue = true
      this.#runAfter(retryMs, 'retry')
    }
  }

  #runAfter(ms: number, kind: 'run' | 'retry' | 'rest'): void {
    this.#cancelAgain()
    const timer = this.#rt.clock.later(ms, () => {
      this.#again = undefined
      this.run()
    })
    this.#again = { timer, kind }
  }

  #cancelAgain(): void {
    this.#again?.timer.cancel()
    this.#again = undefined
  }
}
