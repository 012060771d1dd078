// SPDX-License-Identifier: Apache-2.0
import type { Timer } from '@myelin/kit/clock'
import { Turns } from '@myelin/kit/turns'
import { serverOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import { usersSharingRooms } from '@myelin/storage/members'
import { dropRemoteDeviceList, putRemoteDeviceList } from '@myelin/storage/remote-device-lists'
import type { Runtime } from '../../runtime.ts'
import { deviceListOf, printDeviceList } from './device-list-form.ts'
import { deviceListTopic } from './stale.ts'

type Needs = Pick<Runtime, 'db' | 'bus' | 'remote' | 'clock' | 'log' | 'serverName'>

const MAX_WANTED = 5_000
const AT_ONCE = 10
const MAX_BYTES = 4_000_000
const RETRY_MS = 30_000
const MAX_RETRIES = 8

/**
 * Fetches the device lists of users of other servers with whom ours share rooms, beside the requests: each user once at
 * a time, again where it changed meanwhile, and again later where the server did not answer.
 *
 * It may forget what it was to fetch: whoever asks for the keys is then told by the other server itself.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1userdevicesuserid
 */
export class DeviceListFetches {
  readonly #rt: Needs
  readonly #turns = new Turns(AT_ONCE)
  readonly #stop = new AbortController()
  readonly #stopListening: () => void
  readonly #running = new Map<UserId, { readonly done: Promise<void>; isStale: boolean }>()
  readonly #resting = new Map<UserId, Timer>()

  constructor(rt: Needs) {
    this.#rt = rt
    this.#stopListening = rt.bus.listen(({ topics }) => {
      for (const topic of topics) this.#hear(topic)
    })
  }

  /** Resolves when nothing is being fetched. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all([...this.#running.values()].map(({ done }) => done))
  }

  /** Stops; nothing of it matters. */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#stopListening()
    for (const timer of this.#resting.values()) timer.cancel()
    this.#resting.clear()
  }

  #hear(topic: string): void {
    const told = deviceListTopic(topic)
    if (!told) return
    const running = this.#running.get(told.userId)
    if (running && !told.isWanted) running.isStale = true
    if (!running && told.isWanted && !this.#resting.has(told.userId)) this.#start(told.userId, 0)
  }

  #start(userId: UserId, tries: number): void {
    if (this.#stop.signal.aborted || this.#running.size >= MAX_WANTED || this.#running.has(userId)) return
    const done = this.#turns
      .run(() => this.#fetch(userId))
      .then(
        () => this.#ended(userId),
        (cause: unknown) => this.#failed(userId, tries, cause),
      )
    this.#running.set(userId, { done, isStale: false })
  }

  #ended(userId: UserId): void {
    const wasStale = this.#running.get(userId)?.isStale
    this.#running.delete(userId)
    if (wasStale) this.#start(userId, 0)
  }

  #failed(userId: UserId, tries: number, cause: unknown): void {
    this.#running.delete(userId)
    if (this.#stop.signal.aborted) return
    if (!(cause instanceof RemoteError)) this.#rt.log.error({ err: cause }, 'fetching a device list failed')
    if (tries >= MAX_RETRIES || this.#resting.size >= MAX_WANTED) return
    const timer = this.#rt.clock.later(RETRY_MS * 2 ** tries, () => {
      this.#resting.delete(userId)
      this.#start(userId, tries + 1)
    })
    this.#resting.set(userId, timer)
  }

  async #fetch(userId: UserId): Promise<void> {
    const { db, remote } = this.#rt
    if (this.#stop.signal.aborted || !(await this.#isShared(userId))) return
    const position = await db.position()
    const running = this.#running.get(userId)
    if (running) running.isStale = false
    const answer = await remote.call(serverOf(userId), {
      method: 'GET',
      target: federationPath(['federation', 'v1', 'user', 'devices', userId]),
      maxBytes: MAX_BYTES,
      signal: this.#stop.signal,
    })
    const told = deviceListOf(userId, answer)
    const list = told && printDeviceList(told)
    await db.write(async (tx) => {
      // What was told may be from before a change that we heard of meanwhile.
      if (!told || !list || this.#running.get(userId)?.isStale) await dropRemoteDeviceList(tx, userId)
      else await putRemoteDeviceList(tx, { userId, streamId: told.streamId, position, list })
    })
  }

  /** Only while a user shares a room with one of ours does their server tell us of changes. */
  async #isShared(userId: UserId): Promise<boolean> {
    const sharing = await usersSharingRooms(this.#rt.db.read, userId)
    return [...sharing].some((user) => serverOf(user) === this.#rt.serverName)
  }
}
