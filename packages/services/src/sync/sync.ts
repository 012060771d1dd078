// SPDX-License-Identifier: Apache-2.0
import { knownMemberships } from '@myelin/storage/members'
import { storedPushRules } from '@myelin/storage/push-rules'
import { dropToDevice, keepsUpTo } from '@myelin/storage/to-device'
import { ignoredUsers } from '../account-data/ignored-users.ts'
import type { Runtime } from '../runtime.ts'
import { assemble } from './assemble.ts'
import type { SyncAnswer } from './assemble.ts'
import type { SyncRequest } from './sync-request.ts'

type Needs = Pick<Runtime, 'db' | 'bus' | 'clock' | 'config' | 'typing' | 'pace' | 'presence'>

// However many hints get lost, a waiter looks again this often.
const LOOK_AGAIN_MS = 30_000
const MAX_TIMEOUT_MS = 120_000

/**
 * What happened since the client last asked; waits for something to happen if nothing has.
 *
 * Subscribe first, then read the position, then look: what happens in between is heard.
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
  const leave = waits ? rt.pace.enter() : undefined
  const synced = rt.presence.syncs(request.requester, request.presence)
  try {
    return await firstNews(rt, request, { waits, deadline, signal })
  } finally {
    leave?.()
    synced()
  }
}

type Patience = { readonly waits: boolean; readonly deadline: number; readonly signal: AbortSignal }

async function firstNews(
  rt: Needs,
  request: SyncRequest,
  { waits, deadline, signal }: Patience,
): Promise<SyncAnswer['body']> {
  for (;;) {
    const waiter = new Waiter(rt, await topicsOf(rt, request))
    try {
      if (waits) await rt.pace.turnOf(request.requester)
      const answer = await look(rt, request)
      const isOver = signal.aborted || rt.clock.now() >= deadline
      if (!answer.isEmpty || !waits || isOver) {
        rt.pace.answer(request.requester)
        return answer.body
      }
      await waiter.wait(deadline, signal)
      // The caller has left, or the house is closing: say what was known, and read nothing more.
      if (signal.aborted) return answer.body
    } finally {
      waiter.close()
    }
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
  const all = await knownMemberships(db, user)
  // What came after the position was read is for the next look.
  const memberships = all.filter(({ position }) => position <= upTo.position)
  const ignored = await ignoredUsers(db, user)
  const hasOwnRules = (await storedPushRules(db, user)) !== undefined
  const { since } = request
  return assemble(rt, db, { request, user, since, upTo, now: rt.clock.now(), memberships, ignored, hasOwnRules })
}

/** Using a token says that what came with it has arrived: the messages the device was given can go. */
async function acknowledge(rt: Needs, { requester, since }: SyncRequest): Promise<void> {
  if (!since || since.toDevice === 0) return
  const { userId, deviceId } = requester
  if (await keepsUpTo(rt.db.read, userId, deviceId, since.toDevice))
    await rt.db.write((tx) => dropToDevice(tx, userId, deviceId, since.toDevice))
}

async function topicsOf(rt: Needs, { requester }: SyncRequest): Promise<string[]> {
  const memberships = await knownMemberships(rt.db.read, requester.userId)
  const rooms = memberships.filter(({ membership }) => membership === 'join').map(({ roomId }) => roomId)
  return [requester.userId, ...rooms]
}

/** A parked request: a closure under a few topics, and a timer. */
class Waiter {
  readonly #rt: Needs
  readonly #unsubscribe: () => void
  #isWoken = false
  #wake: () => void = () => {}

  constructor(rt: Needs, topics: readonly string[]) {
    this.#rt = rt
    this.#unsubscribe = rt.bus.wait(topics, () => {
      this.#isWoken = true
      this.#wake()
    })
  }

  /** Returns when something was heard, time is up, or the caller went away. */
  async wait(deadline: number, signal: AbortSignal): Promise<void> {
    if (this.#isWoken || signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    const timer = this.#rt.clock.later(Math.min(deadline - this.#rt.clock.now(), LOOK_AGAIN_MS), resolve)
    signal.addEventListener('abort', () => resolve(), { once: true })
    await promise
    timer.cancel()
  }

  close(): void {
    this.#unsubscribe()
  }
}
