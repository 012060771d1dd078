// SPDX-License-Identifier: Apache-2.0
import { dropUnusedRemoteMedia, noteMediaAccess } from '@myelin/storage/media/expiring-media'
import type { MediaName } from '@myelin/storage/media/media'
import { isContentUsed } from '@myelin/storage/media/url-previews'
import type { Runtime } from '../runtime/runtime.ts'

type Needs = Pick<Runtime, 'db' | 'clock' | 'config' | 'serverName'>

/** Number of rows deleted in one unit, so that other writes run in between. */
const ROWS_A_UNIT = 100
const DAY_MS = 24 * 3_600_000

/** Returns how old a noted access may become before the next is noted, so that a file costs few writes. */
function graceMs(lifetimeMs: number): number {
  return Math.min(DAY_MS, lifetimeMs / 10)
}

/** Notes an access to remote media, unless a recent one is noted. A failure to write does not keep the media from being served. */
export async function noteAccess(
  rt: Needs & Pick<Runtime, 'log'>,
  name: MediaName,
  { lastAccessTs }: { readonly lastAccessTs: number },
): Promise<void> {
  const { remoteLifetimeMs } = rt.config.media
  const now = rt.clock.now()
  if (remoteLifetimeMs === undefined || name.serverName === rt.serverName) return
  if (lastAccessTs > now - graceMs(remoteLifetimeMs)) return
  try {
    await rt.db.write((tx) => noteMediaAccess(tx, name, now))
  } catch (err) {
    rt.log.warn({ err }, 'noting an access to media failed')
  }
}

/**
 * Deletes the copies of remote media that nobody accessed for `media_retention.remote_media_lifetime`, with the files that nothing
 * else uses, until done or stopped. They are downloaded again when someone asks for them.
 */
export async function expireRemoteMedia(rt: Needs & Pick<Runtime, 'blobs'>, stop: AbortSignal): Promise<void> {
  const { remoteLifetimeMs } = rt.config.media
  if (remoteLifetimeMs === undefined) return
  const now = rt.clock.now()
  const beforeTs = now - remoteLifetimeMs - graceMs(remoteLifetimeMs)
  let dropped = ROWS_A_UNIT
  while (dropped === ROWS_A_UNIT && !stop.aborted) {
    const hashes = await rt.db.write((tx) => dropUnusedRemoteMedia(tx, rt.serverName, { beforeTs, limit: ROWS_A_UNIT }))
    for (const sha256 of hashes) {
      await rt.blobs.removeUnused(sha256, { now, isUsed: () => isContentUsed(rt.db.read, sha256) })
    }
    dropped = hashes.length
  }
}
