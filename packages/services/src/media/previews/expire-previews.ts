// SPDX-License-Identifier: Apache-2.0
import { dropExpiredImages, dropExpiredPreviews, isContentUsed } from '@myelin/storage/media/url-previews'
import type { Runtime } from '../../runtime/runtime.ts'

type Needs = Pick<Runtime, 'db' | 'blobs' | 'clock' | 'serverName'>

/** Number of rows deleted in one unit, so that other writes run in between. */
const ROWS_A_UNIT = 100

/** Deletes expired previews, then their images with the files that nothing else uses, until done or stopped. */
export async function expirePreviews(rt: Needs, stop: AbortSignal): Promise<void> {
  const now = rt.clock.now()
  let dropped = ROWS_A_UNIT
  while (dropped === ROWS_A_UNIT && !stop.aborted) {
    dropped = await rt.db.write((tx) => dropExpiredPreviews(tx, now, ROWS_A_UNIT))
  }
  dropped = ROWS_A_UNIT
  while (dropped === ROWS_A_UNIT && !stop.aborted) {
    const images = await rt.db.write((tx) => dropExpiredImages(tx, rt.serverName, { now, limit: ROWS_A_UNIT }))
    for (const sha256 of images.hashes) {
      await rt.blobs.removeUnused(sha256, { now, isUsed: () => isContentUsed(rt.db.read, sha256) })
    }
    dropped = images.count
  }
}
