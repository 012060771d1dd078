// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import { membershipsOf } from '@myelin/storage/members'
import { dropToDevice, waitingToDevice } from '@myelin/storage/to-device'
import { ignoredUsers } from '../account-data/ignored-users.ts'
import type { StreamToken } from '../reading/page-token.ts'
import type { Runtime } from '../runtime.ts'
import { assemble } from './assemble.ts'
import type { SyncAnswer } from './assemble.ts'
import type { SyncRequest } from './sync-request.ts'

type Needs = Pick<Runtime, 'db' | 'bus' | 'clock' | 'typing'>

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
  let looked: Look = { since: request.since }
  for (;;) {
    const waiter = new Waiter(rt, request, await topicsOf(rt, request))
    try {
      const { answer, upTo } = await look(rt, request, looked)
      const isOver = signal.aborted || rt.clock.now() >= deadline
      if (!answer.isEmpty || !waits || isOver) return answer.body
      const woken = await waiter.wait(deadline, signal)
      looked = { since: upTo, onlyRooms: woken }
    } finally {
      waiter.close()
    }
  }
}

/** From where a look starts: everything before was found empty. After a hint, only the rooms it named are looked at. */
type Look = { readonly since: StreamToken | undefined; readonly onlyRooms?: ReadonlySet<RoomId> | undefined }

async function look(rt: Needs, request: SyncRequest, from: Look): Promise<{ answer: SyncAnswer; upTo: StreamToken }> {
  const upTo = { position: await rt.db.position(), typing: rt.typing.serial, toDevice: 0 }
  const user = request.requester.userId
  const db = rt.db.read
  const [all, ignored] = [await membershipsOf(db, user), await ignoredUsers(db, user)]
  // What came after the position was read is for the next look.
  const memberships = all.filter(({ position }) => position <= upTo.position)
  const slice = { request, user, upTo, now: rt.clock.now(), memberships, ignored, ...from }
  return { answer: await assemble(rt, db, slice), upTo }
}

/** Using a token says that what came with it has arrived: the messages the device was given can go. */
async function acknowledge(rt: Needs, { requester, since }: SyncRequest): Promise<void> {
  if (!since) return
  const { userId, deviceId } = requester
  const waiting = await waitingToDevice(rt.db.read, userId, deviceId, { after: 0, upTo: since.toDevice, limit: 1 })
  if (waiting.length > 0) await rt.db.write((tx) => dropToDevice(tx, userId, deviceId, since.toDevice))
}

async function topicsOf(rt: Needs, { requester }: SyncRequest): Promise<string[]> {
  const memberships = await membershipsOf(rt.db.read, requester.userId)
  const rooms = memberships.filter(({ membership }) => membership === 'join').map(({ roomId }) => roomId)
  return [requester.userId, ...rooms]
}

/** A parked request: a closure under a few topics, and a timer. */
class Waiter {
  readonly #rt: Needs
  readonly #user: string
  readonly #unsubscribe: () => void
  #rooms: Set<RoomId> | undefined = new Set()
  #isWoken = false
  #wake: () => void = () => {}

  constructor(rt: Needs, { requester }: SyncRequest, topics: readonly string[]) {
    this.#rt = rt
    this.#user = requester.userId
    this.#unsubscribe = rt.bus.wait(topics, (topic) => this.#hear(topic))
  }

  /** Returns when something was heard or time is up: the rooms that moved, or undefined for "look everywhere". */
  async wait(deadline: number, signal: AbortSignal): Promise<ReadonlySet<RoomId> | undefined> {
    if (!this.#isWoken) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      const remaining = Math.min(deadline - this.#rt.clock.now(), LOOK_AGAIN_MS)
      const timer = this.#rt.clock.later(remaining, () => resolve())
      const leave = () => resolve()
      signal.addEventListener('abort', leave, { once: true })
      await promise
      signal.removeEventListener('abort', leave)
      timer.cancel()
    }
    return this.#isWoken ? this.#rooms : undefined
  }

  close(): void {
    this.#unsubscribe()
  }

  #hear(topic: string): void {
    this.#isWoken = true
    if (topic === this.#user || topic === '*') this.#rooms = undefined
    else this.#rooms?.add(topic as RoomId)
    this.#wake()
  }
}
