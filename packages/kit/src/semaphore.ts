// SPDX-License-Identifier: Apache-2.0

/** Thrown where the queue of a key is full. */
export class TooManyWaiting extends Error {
  override readonly name = 'TooManyWaiting'
}

/** Options of a {@link Semaphore}. */
export interface SemaphoreOptions {
  /** The most tasks of one key that may wait; without a limit where it is absent. */
  readonly maxWaitingPerKey?: number
}

/** The options of a wait for a permit. */
export interface AcquireOptions {
  /** The queue it waits in; keys get permits in turns, however many tasks each has waiting. */
  readonly key?: string
  /** Ends the wait. */
  readonly signal?: AbortSignal
}

/**
 * Limits how many tasks run at a time.
 *
 * Tasks of one key run in the order in which they came. Keys take turns. A permit that becomes free goes to the next that
 * waits, so a new task cannot overtake it.
 */
export class Semaphore {
  readonly #permits: number
  readonly #maxWaitingPerKey: number
  /** The waiting tasks by key; the first key is the next to get a permit. No queue is empty. */
  readonly #queues = new Map<string, Set<() => void>>()
  #running = 0
  #waiting = 0

  /** @param permits how many tasks run at a time */
  constructor(permits: number, { maxWaitingPerKey = Infinity }: SemaphoreOptions = {}) {
    this.#permits = permits
    this.#maxWaitingPerKey = maxWaitingPerKey
  }

  /** The number of waiting tasks. */
  get waiting(): number {
    return this.#waiting
  }

  /** No task is running. */
  get isIdle(): boolean {
    return this.#running === 0
  }

  /** Runs a task with a permit and returns its result; starts it at once where a permit is free. Rejects like {@link acquire}. */
  async run<T>(task: () => Promise<T>, options: AcquireOptions = {}): Promise<T> {
    options.signal?.throwIfAborted()
    if (!this.#tryAcquire()) await this.#wait(options)
    try {
      return await task()
    } finally {
      this.#release()
    }
  }

  /**
   * Takes a permit and returns a function that gives it back; further calls of that function do nothing.
   *
   * Rejects with {@link TooManyWaiting} where the queue of the key is full, and with the reason of the signal where that
   * aborts first.
   */
  async acquire(options: AcquireOptions = {}): Promise<() => void> {
    options.signal?.throwIfAborted()
    if (!this.#tryAcquire()) await this.#wait(options)
    let isHeld = true
    return () => {
      if (isHeld) this.#release()
      isHeld = false
    }
  }

  #tryAcquire(): boolean {
    if (this.#running >= this.#permits) return false
    this.#running++
    return true
  }

  #wait({ key = '', signal }: AcquireOptions): Promise<void> {
    const queue = this.#queues.get(key) ?? new Set()
    if (queue.size >= this.#maxWaitingPerKey) throw new TooManyWaiting(`${queue.size} tasks wait for ${key}`)
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#remove(key, queue, proceed)
        reject(signal?.reason as Error)
      }
      const proceed = (): void => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      this.#queues.set(key, queue.add(proceed))
      this.#waiting++
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  #remove(key: string, queue: Set<() => void>, task: () => void): void {
    queue.delete(task)
    this.#waiting--
    if (queue.size === 0) this.#queues.delete(key)
  }

  /** Passes the permit on: to the oldest task of the first key, whose other tasks then wait behind all other keys. */
  #release(): void {
    for (const [key, queue] of this.#queues) {
      for (const proceed of queue) {
        this.#queues.delete(key)
        this.#remove(key, queue, proceed)
        if (queue.size > 0) this.#queues.set(key, queue)
        return proceed()
      }
    }
    this.#running--
  }
}
