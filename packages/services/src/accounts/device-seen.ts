// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { putSighting } from '@myelin/storage/accounts/devices'
import type { Runtime } from '../runtime/runtime.ts'

/** A device, and when it was last noted. */
export interface KnownDevice {
  readonly userId: UserId
  readonly deviceId: string
  readonly lastSeenTs: number | null
}

/** Where it was heard of. */
export interface HeardFrom {
  readonly address: string
  readonly userAgent: string | undefined
}

/** More often than this nobody needs to know, and every request would write. */
const ACCURACY_MS = 60_000

/** Records in the background where a device was heard of, at most once a minute. */
export function noteDeviceSeen(rt: Pick<Runtime, 'db'>, device: KnownDevice, from: HeardFrom, now: number): void {
  const { userId, deviceId, lastSeenTs } = device
  if (lastSeenTs !== null && now - lastSeenTs < ACCURACY_MS) return
  const { address, userAgent } = from
  // Nobody waits for it, and the next request says it again: a failure is not worth a word.
  rt.db.write((tx) => putSighting(tx, { userId, deviceId, address, userAgent, ts: now })).catch(() => {})
}
