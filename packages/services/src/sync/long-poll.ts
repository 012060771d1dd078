// SPDX-License-Identifier: Apache-2.0
import type { Timer } from '@myelin/kit/clock'
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import { hasDevice } from '@myelin/storage/accounts/devices'
import type { PresenceState } from '@myelin/storage/sync/presence'
import { cachedMemberships } from '@myelin/storage/rooms/members/members'
import type { Requester, Runtime } from '../runtime/runtime.ts'

/** The part of the runtime that a waiting request and its answers take. */
export type PollNeeds = Pick<Runtime, 'db' | 'bus' | 'clock' | 'config' | 'typing' | 'syncThrottle' | 'presence'>

// A waiting request looks again after this time, even if a hint got lost.
const LOOK_AGAIN_MS = 30_000
const MAX_TIMEOUT_MS = 120_000

/** An answer, and whether it has changes that end the wait of a client. */
export interface PollAnswer {
  readonly isEmpty: boolean
  /** The body for a client that is to be let go before the wait is over; it is small, since all waiting clients keep one. */
  readonly idle: Readonly<Record<string, unknown>>
  /** Returns the body of the answer; called for the one that is sent. */
  finish(): Promise<Readonly<Record<string, unknown>>>
}

/** A request that waits for changes. */
export interface Poll {
  readonly requester: Requester
  /** The presence that the client sets. */
  readonly presence: PresenceState
  /** The request waits. */
  readonly waits: boolean
  readonly timeoutMs: number
  /** Topics that wake the request, besides the requester's and those of their rooms. */
  readonly topics?: readonly string[]
  /** Does what the client acknowledges; called once, before the first look. */
  begin(): Promise<void>
  /** Reads the changes up to now. */
  look(): Promise<PollAnswer>
}

/**
 * Returns the first answer that is not empty, or the last one when the time is up.
 *
 * The order is to subscribe, to read the position, and to look: changes in between are not missed.
 *
 * @throws MatrixError `M_UNKNOWN_TOKEN` where the device is deleted meanwhile
 */
export async function longPoll(
  rt: PollNeeds,
  poll: Poll,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  await poll.begin()
  const waits = poll.waits && poll.timeoutMs > 0
  const deadline = rt.clock.now() + (waits ? Math.min(poll.timeoutMs, MAX_TIMEOUT_MS) : 0)
  const leave = waits ? rt.syncThrottle.enter() : undefined
  const synced = rt.presence.recordSync(poll.requester, poll.presence)
  const waiter = new Waiter(rt, signal)
  // One function, because each nested asynchronous call costs half a KiB per waiting client.
  try {
    for (;;) {
      if (waits) {
        waiter.listen([...(await topicsOf(rt, poll.requester.userId)), ...(poll.topics ?? [])])
        await rt.syncThrottle.turnOf(poll.requester)
      }
      let answer: PollAnswer | undefined = await poll.look()
      const isOver = signal.aborted || rt.clock.now() >= deadline
      if (!answer.isEmpty || !waits || isOver) {
        if (waits) await requireDevice(rt, poll.requester)
        rt.syncThrottle.answer(poll.requester)
        return await answer.finish()
      }
      const { idle } = answer
      // Not kept while the client waits.
      answer = undefined
      await waiter.wait(deadline)
      // The client has disconnected or the server is closing: answer without another read.
      if (signal.aborted) return idle
    }
  } catch (cause) {
    // What is gone with the device is not reported for itself.
    await requireDevice(rt, poll.requester)
    throw cause
  } finally {
    waiter.close()
    leave?.()
    synced()
  }
}

/** Throws where the requester's device was deleted, as by a logout. */
async function requireDevice({ db }: Pick<PollNeeds, 'db'>, { userId, deviceId }: Requester): Promise<void> {
  if (deviceId === '' || (await hasDevice(db.read, userId, deviceId))) return
  throw new MatrixError('M_UNKNOWN_TOKEN', 'unknown access token', { extra: { soft_logout: false } })
}

async function topicsOf(rt: Pick<PollNeeds, 'db'>, user: UserId): Promise<string[]> {
  const memberships = await cachedMemberships(rt.db.read, user)
  const rooms = memberships.filter(({ membership }) => membership === 'join').map(({ roomId }) => roomId)
  return [user, ...rooms]
}

/** A parked request: a closure under a few topics, and a timer. */
class Waiter {
  readonly #rt: Pick<PollNeeds, 'bus' | 'clock'>
  readonly #signal: AbortSignal
  // The bus, the timer and the signal share one function.
  readonly #wake = () => {
    this.#isWoken = true
    this.#goOn?.()
  }
  #isWoken = false
  #goOn: (() => void) | undefined
  #unsubscribe: (() => void) | undefined
  #timer: Timer | undefined

  constructor(rt: Pick<PollNeeds, 'bus' | 'clock'>, signal: AbortSignal) {
    this.#rt = rt
    this.#signal = signal
  }

  /** Replaces the topics that the waiter listens to. */
  listen(topics: readonly string[]): void {
    this.close()
    this.#isWoken = false
    this.#unsubscribe = this.#rt.bus.wait(topics, this.#wake)
  }

  /** Waits until a topic changes, the timeout passes, or the caller disconnects. */
  wait(deadline: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isWoken || this.#signal.aborted) return resolve()
      this.#goOn = resolve
      this.#timer = this.#rt.clock.later(Math.min(deadline - this.#rt.clock.now(), LOOK_AGAIN_MS), this.#wake)
      this.#signal.addEventListener('abort', this.#wake, { once: true })
    })
  }

  close(): void {
    this.#unsubscribe?.()
    this.#timer?.cancel()
  }
}
