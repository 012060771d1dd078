// SPDX-License-Identifier: Apache-2.0
import type { Timer } from '@myelin/kit/clock'
import { cachedMemberships } from '@myelin/storage/rooms/members/members'
import { storedPushRules } from '@myelin/storage/accounts/push-rules'
import { dropToDevice, keepsUpTo } from '@myelin/storage/sync/to-device'
import { ignoredUsers } from '../standing/ignored-users.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { assemble } from './assemble.ts'
import type { SyncAnswer } from './assemble.ts'
import type { SyncRequest } from './sync-request.ts'

type Needs = Pick<Runtime, 'db' | 'bus' | 'clock' | 'config' | 'typing' | 'syncThrottle' | 'presence'>

// A waiting request looks again after this time, even if a hint got lost.
const LOOK_AGAIN_MS = 30_000
const MAX_TIMEOUT_MS = 120_000

/**
 * Returns the changes since the client's last sync; waits for changes if there are none.
 *
 * The order is to subscribe, to read the position, and to look: changes in between are not missed.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync
 */
export async function sync(
  rt: Needs,
  request: SyncRequest,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  await acknowledge(rt, request)
  const waits = request.since !== undefined && !request.isFullState && request.timeoutMs > 0
  const deadline = rt.clock.now() + (waits ? Math.min(request.timeoutMs, MAX_TIMEOUT_MS) : 0)
  const leave = waits ? rt.syncThrottle.enter() : undefined
  const synced = rt.presence.recordSync(request.requester, request.presence)
  const waiter = new Waiter(rt, signal)
  // One function, because each nested asynchronous call costs half a KiB per waiting client.
  try {
    for (;;) {
      waiter.hear(await topicsOf(rt, request))
      if (waits) await rt.syncThrottle.turnOf(request.requester)
      const answer = await look(rt, request)
      const isOver = signal.aborted || rt.clock.now() >= deadline
      if (!answer.isEmpty || !waits || isOver) {
        rt.syncThrottle.answer(request.requester)
        return answer.body
      }
      await waiter.wait(deadline)
      // The client has disconnected or the server is closing: return the last response without another read.
      if (signal.aborted) return answer.body
    }
  } finally {
    waiter.close()
    leave?.()
    synced()
  }
}

async function look(rt: Needs, request: SyncRequest): Promise<SyncAnswer> {
  const position = await rt.db.position()
  const upTo = {
    position,
    typing: rt.typing.serial,
    toDevice: 0,
    begun: request.since ? request.since.begun : position,
  }
  const user = request.requester.userId
  const db = rt.db.read
  const all = await cachedMemberships(db, user)
  // Changes after the position belong to the next look.
  const memberships = all.filter(({ position }) => position <= upTo.position)
  const ignored = await ignoredUsers(db, user)
  const hasOwnRules = (await storedPushRules(db, user)) !== undefined
  const { since } = request
  return assemble(rt, db, { request, user, since, upTo, now: rt.clock.now(), memberships, ignored, hasOwnRules })
}

/** Deletes to-device messages that the token acknowledges. */
async function acknowledge(rt: Needs, { requester, since }: SyncRequest): Promise<void> {
  if (!since || since.toDevice === 0) return
  const { userId, deviceId } = requester
  if (await keepsUpTo(rt.db.read, userId, deviceId, since.toDevice))
    await rt.db.write((tx) => dropToDevice(tx, userId, deviceId, since.toDevice))
}

async function topicsOf(rt: Needs, { requester }: SyncRequest): Promise<string[]> {
  const memberships = await cachedMemberships(rt.db.read, requester.userId)
  const rooms = memberships.filter(({ membership }) => membership === 'join').map(({ roomId }) => roomId)
  return [requester.userId, ...rooms]
}

/** A parked request: a closure under a few topics, and a timer. */
class Waiter {
  readonly #rt: Pick<Needs, 'bus' | 'clock'>
  readonly #signal: AbortSignal
  // One for the bus, the timer and the signal: whatever calls it, it is time to look.
  readonly #wake = () => {
    this.#isWoken = true
    this.#goOn?.()
  }
  #isWoken = false
  #goOn: (() => void) | undefined
  #unsubscribe: (() => void) | undefined
  #timer: Timer | undefined

  constructor(rt: Pick<Needs, 'bus' | 'clock'>, signal: AbortSignal) {
    this.#rt = rt
    this.#signal = signal
  }

  /** Hears of these topics from here on, and of those before no more. */
  hear(topics: readonly string[]): void {
    this.close()
    this.#isWoken = false
    this.#unsubscribe = this.#rt.bus.wait(topics, this.#wake)
  }

  /** Returns when something was heard, time is up, or the caller went away. */
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
