// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '@myelin/kit/clock'
import type { Database } from '@myelin/storage/engine/database'
import { BUSY, isBusyOn, presenceOf, putPresence, putPresentDevice } from '@myelin/storage/sync/presence'
import type { Presence, PresenceState, PresentDevice } from '@myelin/storage/sync/presence'

/** A change of a device's presence. */
export interface DevicePresence extends PresentDevice {
  readonly isActive: boolean
  readonly lastActiveTs: number
  /** Empty for no message; absent where it stays unchanged. */
  readonly statusMessage?: string
  /** The presence comes from a sync, which does not end `busy`; only the user does. */
  readonly isFromSync?: boolean
}

type Needs = { readonly db: Database; readonly clock: Clock }

/** The interval for repeating presence, because other servers expire it after half an hour. */
const SAID_AGAIN_MS = 1_500_000
const RANK: Readonly<Record<PresenceState, number>> = { offline: 0, unavailable: 1, online: 2, [BUSY]: 3 }

/**
 * Stores a local user's presence on one device, and the resulting presence of the user: that of the most available
 * device. A change is announced. Returns the device's presence, which a sync does not change while it is `busy`.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/3026
 */
export async function setDevicePresence(rt: Needs, wanted: DevicePresence): Promise<PresenceState> {
  const { userId, deviceId, statusMessage } = wanted
  const now = rt.clock.now()
  return rt.db.write(async (tx) => {
    const isKept = wanted.isFromSync && wanted.state !== 'offline' && (await isBusyOn(tx, userId, deviceId, now))
    const device = isKept ? ({ ...wanted, state: BUSY, isActive: false } as const) : wanted
    const devices = await putPresentDevice(tx, device)
    const state = mostPresent(devices.filter(({ untilTs }) => untilTs >= now))
    const [before] = await presenceOf(tx, [userId])
    const isOwn = state === device.state
    const next = {
      userId,
      state,
      statusMessage: statusMessage === undefined ? before?.statusMessage : statusMessage || undefined,
      lastActiveTs: Math.max(device.lastActiveTs, before?.lastActiveTs ?? 0),
      isActive: state === 'online' && (isOwn ? device.isActive : (before?.isActive ?? false)),
      saidTs: now,
    }
    if (isNews(before, next)) await putPresence(tx, next)
    return device.state
  })
}

/** Sets a user offline after too long without news. */
export async function setOffline(rt: Needs, { userId, saidTs }: Presence): Promise<void> {
  await rt.db.write(async (tx) => {
    const [now] = await presenceOf(tx, [userId])
    if (now?.saidTs !== saidTs || now.state === 'offline') return
    await putPresence(tx, { ...now, state: 'offline', isActive: false, saidTs: rt.clock.now() })
  })
}

/** Stores a remote user's presence. */
export async function setRemotePresence(
  rt: Needs,
  users: readonly Omit<Presence, 'position' | 'saidTs'>[],
): Promise<void> {
  if (users.length === 0) return
  const saidTs = rt.clock.now()
  await rt.db.write(async (tx) => {
    const known = await presenceOf(
      tx,
      users.map(({ userId }) => userId),
    )
    const before = new Map(known.map((each) => [each.userId, each]))
    for (const user of users) {
      const next = { ...user, saidTs }
      if (isNews(before.get(user.userId), next)) await putPresence(tx, next)
    }
  })
}

function mostPresent(devices: readonly PresentDevice[]): PresenceState {
  return devices.reduce<PresenceState>((most, { state }) => (RANK[state] > RANK[most] ? state : most), 'offline')
}

/** Returns whether a presence differs enough to announce it, or must be repeated. */
function isNews(before: Presence | undefined, next: Omit<Presence, 'position'>): boolean {
  if (!before) return next.state !== 'offline' || next.statusMessage !== undefined
  return (
    before.state !== next.state ||
    before.isActive !== next.isActive ||
    before.statusMessage !== next.statusMessage ||
    (next.state !== 'offline' && next.saidTs - before.saidTs > SAID_AGAIN_MS)
  )
}
