// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { putSighting } from '@myelin/storage/devices'
import type { Runtime } from '../runtime.ts'

/** A request of a device, and when the one before it was noted. */
export interface DeviceSeen {
  readonly userId: UserId
  readonly deviceId: string
  readonly lastSeenTs: number | null
  readonly now: number
  readonly address: string
  readonly userAgent: string | undefined
}

/** More often than this nobody needs to know, and every request would write. */
const ACCURACY_MS = 60_000

/** Records in the background where a device was heard of, at most once a minute. */
export function noteDeviceSeen(rt: Pick<Runtime, 'db'>, seen: DeviceSeen): void {
  if (seen.lastSeenTs !== null && seen.now - seen.lastSeenTs < ACCURACY_MS) return
  // Nobody waits for it, and the next request says it again: a failure is not worth a word.
  rt.db.write((tx) => putSighting(tx, { ...seen, ts: seen.now })).catch(() => {})
}
