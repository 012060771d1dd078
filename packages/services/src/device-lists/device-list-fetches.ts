// SPDX-License-Identifier: Apache-2.0
import type { Timer } from '@myelin/kit/clock'
import { Semaphore } from '@myelin/kit/semaphore'
import { serverOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import { sharesRoomWithServer } from '@myelin/storage/rooms/members/shared-rooms'
import { noteDeviceChange } from '@myelin/storage/keys/device-lists'
import { dropRemoteDeviceList, putRemoteDeviceList } from '@myelin/storage/keys/remote-device-lists'
import {
  dropWantedDeviceList,
  dueDeviceLists,
  postponeDeviceList,
  takeDeviceLists,
  wantedDeviceList,
} from '@myelin/storage/keys/wanted-device-lists'
import type { WantedDeviceList } from '@myelin/storage/keys/wanted-device-lists'
import type { Runtime } from '../runtime/runtime.ts'
import { deviceListOf, printDeviceList } from './device-list-form.ts'
import { deviceListTopic } from './stale.ts'

type Needs = Pick<Runtime, 'db' | 'bus' | 'remote' | 'clock' | 'log' | 'serverName'>

const MAX_RUNNING = 5_000
const AT_ONCE = 10
const MAX_BYTES = 4_000_000
const RETRY_MS = 30_000
const MAX_RETRIES = 8
const LOOK_MS = 10_000
/** Fetches that one poll starts at most. */
const MAX_DUE = 500
/** For this long other nodes leave a fetch to the node that has taken it. */
const TAKEN_MS = 120_000

/**
 * Fetches the device lists of remote users who share rooms with local ones, in the background. A user's list is fetched
 * once at a time, again if it changed meanwhile, and later if the server fails.
 *
 * Pending fetches and retries are stored, so any node can continue them. After the last retry the fetch is dropped: a
 * key query asks the other server itself.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1userdevicesuserid
 */
export class DeviceListFetches {
  readonly #rt: Needs
  readonly #semaphore = new Semaphore(AT_ONCE)
  readonly #stop = new AbortController()
  readonly #stopListening: () => void
  readonly #running = new Map<UserId, { readonly done: Promise<void>; isStale: boolean }>()
  #looking: Promise<void> = Promise.resolve()
  #timer: Timer | undefined

  constructor(rt: Needs) {
    this.#rt = rt
    this.#stopListening = rt.bus.listen(({ topics }) => {
      for (const topic of topics) this.#onTopic(topic)
    })
    this.#look()
  }

  /** Resolves when no fetch is running. */
  async settled(): Promise<void> {
    await this.#looking
    while (this.#running.size > 0) await Promise.all([...this.#running.values()].map(({ done }) => done))
  }

  /** Stops. Pending fetches continue after the next start. */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#stopListening()
    this.#timer?.cancel()
    await this.settled()
  }

  #onTopic(topic: string): void {
    const changed = deviceListTopic(topic)
    if (!changed) return
    const running = this.#running.get(changed.userId)
    if (running && !changed.isWanted) running.isStale = true
    if (!running && changed.isWanted) this.#start(changed.userId)
  }

  #look(): void {
    if (this.#stop.signal.aborted) return
    this.#timer = this.#rt.clock.later(LOOK_MS, () => this.#look())
    this.#looking = this.#looking
      .then(() => this.#takeUp())
      .catch((cause: unknown) => this.#rt.log.error({ err: cause }, 'looking for device lists to fetch failed'))
  }

  async #takeUp(): Promise<void> {
    const { db, clock } = this.#rt
    const now = clock.now()
    if (this.#stop.signal.aborted) return
    const due = (await dueDeviceLists(db.read, now, MAX_DUE)).filter((user) => !this.#running.has(user))
    if (due.length === 0 || this.#running.size >= MAX_RUNNING) return
    const taken = await db.write((tx) => takeDeviceLists(tx, due, { now, until: now + TAKEN_MS }))
    for (const wanted of taken) this.#start(wanted.userId, wanted)
  }

  /** Starts a fetch. Without `taken`, a user whose retry is not due yet is left out. */
  #start(userId: UserId, taken?: WantedDeviceList): void {
    if (this.#stop.signal.aborted || this.#running.size >= MAX_RUNNING || this.#running.has(userId)) return
    const done = this.#semaphore
      .run(async () => {
        if (taken || !(await this.#rests(userId))) await this.#fetch(userId)
      })
      .then(
        () => this.#ended(userId),
        (cause: unknown) => this.#failed(userId, cause),
      )
    this.#running.set(userId, { done, isStale: false })
  }

  async #rests(userId: UserId): Promise<boolean> {
    const { db, clock } = this.#rt
    return ((await wantedDeviceList(db.read, userId))?.retryTs ?? 0) > clock.now()
  }

  #ended(userId: UserId): void {
    const wasStale = this.#running.get(userId)?.isStale
    this.#running.delete(userId)
    if (wasStale) this.#start(userId)
  }

  async #failed(userId: UserId, cause: unknown): Promise<void> {
    const { db, clock, log } = this.#rt
    try {
      if (this.#stop.signal.aborted) return
      if (!(cause instanceof RemoteError)) log.error({ err: cause }, 'fetching a device list failed')
      await db.write(async (tx) => {
        const tries = (await wantedDeviceList(tx, userId))?.tries ?? 0
        if (tries >= MAX_RETRIES) await dropWantedDeviceList(tx, userId)
        else await postponeDeviceList(tx, { userId, tries: tries + 1, retryTs: clock.now() + RETRY_MS * 2 ** tries })
      })
    } catch (failure) {
      log.error({ err: failure }, 'a device list could not be put off')
    } finally {
      this.#running.delete(userId)
    }
  }

  async #fetch(userId: UserId): Promise<void> {
    const { db, remote } = this.#rt
    if (this.#stop.signal.aborted) return
    if (!(await this.#isShared(userId))) return this.#forget(userId)
    const position = await db.position()
    const running = this.#running.get(userId)
    if (running) running.isStale = false
    const answer = await remote.call(serverOf(userId), {
      method: 'GET',
      target: federationPath(['federation', 'v1', 'user', 'devices', userId]),
      maxBytes: MAX_BYTES,
      signal: this.#stop.signal,
    })
    const fetched = deviceListOf(userId, answer)
    const list = fetched && printDeviceList(fetched)
    await db.write(async (tx) => {
      // The response may be older than a change that was reported meanwhile.
      const isStale = this.#running.get(userId)?.isStale === true
      if (!fetched || !list || isStale) await dropRemoteDeviceList(tx, userId)
      else await putRemoteDeviceList(tx, { userId, streamId: fetched.streamId, position, list })
      // While their server was away clients asked in vain: now they get the keys.
      if (((await wantedDeviceList(tx, userId))?.tries ?? 0) > 0) await noteDeviceChange(tx, userId)
      if (isStale) await postponeDeviceList(tx, { userId, tries: 0, retryTs: this.#rt.clock.now() })
      else await dropWantedDeviceList(tx, userId)
    })
  }

  async #forget(userId: UserId): Promise<void> {
    const { db } = this.#rt
    if (await wantedDeviceList(db.read, userId)) await db.write((tx) => dropWantedDeviceList(tx, userId))
  }

  /** Returns whether a user shares a room with a local one: only then their server sends changes. */
  #isShared(userId: UserId): Promise<boolean> {
    return sharesRoomWithServer(this.#rt.db.read, userId, this.#rt.serverName)
  }
}
