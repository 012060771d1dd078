// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { putSighting } from '@myelin/storage/accounts/devices'
import type { Runtime } from '../runtime/runtime.ts'

/** A device, and when it was last recorded. */
export interface KnownDevice {
  readonly userId: UserId
  readonly deviceId: string
  readonly lastSeenTs: number | null
}

/** The address and user agent of a request. */
export interface HeardFrom {
  readonly address: string
  readonly userAgent: string | undefined
}

/** The shortest interval between two records of a device. */
const ACCURACY_MS = 60_000

/** Records a device's address and user agent in the background, at most once a minute. */
export function noteDeviceSeen(rt: Pick<Runtime, 'db'>, device: KnownDevice, from: HeardFrom, now: number): void {
  const { userId, deviceId, lastSeenTs } = device
  // The token of an admin who acts for the user has no device.
  if (deviceId === '') return
  if (lastSeenTs !== null && now - lastSeenTs < ACCURACY_MS) return
  const { address, userAgent } = from
  // A failure is ignored, because the next request repeats it.
  rt.db.write((tx) => putSighting(tx, { userId, deviceId, address, userAgent, ts: now })).catch(() => {})
}
