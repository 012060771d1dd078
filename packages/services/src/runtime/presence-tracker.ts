// SPDX-License-Identifier: Apache-2.0
import type { Clock, Timer } from '@myelin/kit/clock'
import type { Log } from '@myelin/kit/log'
import type { PresenceSettings } from '@myelin/kit/settings'
import { serverOf } from '@myelin/matrix/ids'
import type { ServerName, UserId } from '@myelin/matrix/ids'
import type { Database } from '@myelin/storage/engine/database'
import { BUSY, lostDevices, silentSince } from '@myelin/storage/sync/presence'
import type { PresenceState } from '@myelin/storage/sync/presence'
import { setDevicePresence, setOffline } from './set-presence.ts'

/** The inactivity after which a user is no longer `currently_active`. */
const ACTIVE_MS = 60_000
/** The inactivity after which a user is unavailable, even if a client reports otherwise. */
const IDLE_MS = 300_000
/** The time without a sync after which a device is offline. */
const GONE_MS = 30_000
/** The same for a device on which the user is busy, because busy users are expected to be away. */
const BUSY_GONE_MS = 3_600_000
/** The time for which other nodes accept a device as present without an update: its node may have died. */
const VALID_MS = 600_000
/** The time without news after which a remote user is offline. */
const SILENT_MS = 1_800_000
const LOOK_MS = 5_000
const SWEEP_MS = 60_000
const MAX_SWEPT = 500

/** The part of the runtime that tracking takes; the runtime holds the tracker. */
interface Needs {
  readonly db: Database
  readonly clock: Clock
  readonly config: { readonly presence: PresenceSettings }
  readonly log: Log
  readonly serverName: ServerName
}

type Owner = { readonly userId: UserId; readonly deviceId: string }

/** A device connected to this node. */
interface Device extends Owner {
  /** The presence that its client last reported. */
  reported: PresenceState
  openSyncs: number
  lastSyncTs: number
  lastActiveTs: number
  /** The stored presence, and until when it is valid. */
  kept: { readonly state: PresenceState; readonly isActive: boolean; readonly untilTs: number } | undefined
}

/**
 * Tracks the devices connected to this node: their presence by the client's reports, the last sync and the user's last
 * activity. The result is written only where it changes, and evaluated every five seconds.
 *
 * It does nothing where presence is disabled.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#presence
 */
export class PresenceTracker {
  readonly #rt: Needs
  readonly #devices = new Map<string, Device>()
  readonly #writing = new Set<Promise<void>>()
  #timer: Timer | undefined
  #sweeper: Timer | undefined

  constructor(rt: Needs) {
    this.#rt = rt
    if (rt.config.presence.isEnabled) this.#sweepLater()
  }

  /** Records a sync with the reported presence; call the returned function when the sync was answered. */
  recordSync(owner: Owner, state: PresenceState): () => void {
    if (!this.#rt.config.presence.isEnabled || state === 'offline') return nothing
    const device = this.#deviceOf(owner)
    const now = this.#rt.clock.now()
    if (state === 'online' && device.reported !== 'online') device.lastActiveTs = now
    // Only the user ends it.
    if (device.reported !== BUSY) device.reported = state
    device.openSyncs++
    device.lastSyncTs = now
    // A new device is stored at once; changes after that at most every five seconds.
    if (!device.kept) this.#keep(device)
    let isOpen = true
    return () => {
      if (!isOpen) return
      isOpen = false
      device.openSyncs--
      device.lastSyncTs = this.#rt.clock.now()
    }
  }

  /** Records an activity of the user. */
  recordActivity({ userId, deviceId }: Owner): void {
    const device = this.#devices.get(keyOf({ userId, deviceId }))
    if (!device) return
    device.lastActiveTs = this.#rt.clock.now()
    if (device.reported === 'online' && !device.kept?.isActive) this.#keep(device)
  }

  /** Sets a user's presence and status message; resolves when it is on disk. */
  async report(owner: Owner, state: PresenceState, statusMessage: string | undefined): Promise<void> {
    const now = this.#rt.clock.now()
    const device = this.#deviceOf(owner)
    device.reported = state
    device.lastSyncTs = now
    if (state === 'online' || state === BUSY) device.lastActiveTs = now
    const [next, message] = [this.#next(device), statusMessage ?? '']
    device.kept = next
    await setDevicePresence(this.#rt, { ...owner, ...next, lastActiveTs: device.lastActiveTs, statusMessage: message })
  }

  /** Resolves when all changes are on disk. */
  async settled(): Promise<void> {
    while (this.#writing.size > 0) await Promise.all(this.#writing)
  }

  /** Stops tracking; other nodes see the devices as present until their validity ends. */
  async close(): Promise<void> {
    this.#timer?.cancel()
    this.#sweeper?.cancel()
    await this.settled()
  }

  #deviceOf(owner: Owner): Device {
    const known = this.#devices.get(keyOf(owner))
    if (known) return known
    const { userId, deviceId } = owner
    const fresh = { openSyncs: 0, lastSyncTs: 0, lastActiveTs: 0, kept: undefined } as const
    const device: Device = { userId, deviceId, reported: 'offline', ...fresh }
    this.#devices.set(keyOf(owner), device)
    this.#timer ??= this.#rt.clock.later(LOOK_MS, () => this.#look())
    return device
  }

  #look(): void {
    const now = this.#rt.clock.now()
    for (const [key, device] of this.#devices) {
      const next = this.#next(device)
      const { kept } = device
      const isStale = kept !== undefined && kept.untilTs - now < VALID_MS / 2 && next.state !== 'offline'
      if (!kept || kept.state !== next.state || kept.isActive !== next.isActive || isStale) this.#keep(device)
      if (next.state === 'offline' && device.openSyncs === 0) this.#devices.delete(key)
    }
    this.#timer = this.#devices.size === 0 ? undefined : this.#rt.clock.later(LOOK_MS, () => this.#look())
  }

  /** Returns a device's presence by all that is known of it. */
  #next(device: Device): NonNullable<Device['kept']> {
    const now = this.#rt.clock.now()
    const goneMs = device.reported === BUSY ? BUSY_GONE_MS : GONE_MS
    const isGone = device.openSyncs === 0 && now - device.lastSyncTs > goneMs
    const isIdle = now - device.lastActiveTs > IDLE_MS
    const state = isGone ? 'offline' : device.reported === 'online' && isIdle ? 'unavailable' : device.reported
    const isActive = state === 'online' && now - device.lastActiveTs <= ACTIVE_MS
    return { state, isActive, untilTs: now + VALID_MS }
  }

  #keep(device: Device): void {
    const next = this.#next(device)
    device.kept = next
    const { userId, deviceId, lastActiveTs } = device
    this.#write(async () => {
      const kept = await setDevicePresence(this.#rt, { userId, deviceId, lastActiveTs, ...next, isFromSync: true })
      // The user said so to another node, or before a restart.
      if (kept === BUSY && device.kept === next)
        Object.assign(device, { reported: BUSY, kept: { ...next, state: BUSY } })
    })
  }

  #write(work: () => Promise<void>): void {
    const writing: Promise<void> = work()
      .catch((cause: unknown) => this.#rt.log.error({ err: cause }, 'presence could not be written'))
      .finally(() => this.#writing.delete(writing))
    this.#writing.add(writing)
  }

  #sweepLater(): void {
    this.#sweeper = this.#rt.clock.later(SWEEP_MS, () => {
      this.#sweepLater()
      this.#write(() => this.#sweep())
    })
  }

  /** Sets devices of dead nodes, and remote users without news, offline. */
  async #sweep(): Promise<void> {
    const { db, clock, serverName } = this.#rt
    const now = clock.now()
    for (const { userId, deviceId } of await lostDevices(db.read, now, MAX_SWEPT)) {
      const gone = { state: 'offline', isActive: false, untilTs: now, lastActiveTs: 0 } as const
      await setDevicePresence(this.#rt, { userId, deviceId, ...gone })
    }
    for (const presence of await silentSince(db.read, now - SILENT_MS, MAX_SWEPT)) {
      if (serverOf(presence.userId) !== serverName) await setOffline(this.#rt, presence)
    }
  }
}

const keyOf = ({ userId, deviceId }: Owner) => `${userId} ${deviceId}`

const nothing = () => {}
