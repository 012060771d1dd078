// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { mediaByName, mediaTopic } from '@myelin/storage/media/media'
import type { MediaContent, MediaName } from '@myelin/storage/media/media'
import type { Runtime } from '../runtime/runtime.ts'
import { noSuchMedia } from './media-name.ts'

/** A request for media, and how long it waits for content that is not uploaded yet. */
export interface MediaRequest {
  readonly isAuthenticated: boolean
  readonly timeoutMs: number | undefined
  readonly signal: AbortSignal
}

/** The content of a name, when the name was taken, and about when the content was last accessed, in milliseconds. */
export interface FoundMedia extends MediaContent {
  readonly createdTs: number
  readonly lastAccessTs: number
}

const DEFAULT_TIMEOUT_MS = 20_000
const MAX_TIMEOUT_MS = 60_000
// Hints may be lost.
const LOOK_AGAIN_MS = 10_000

/**
 * Returns the media with a name. Waits for a name that is only reserved; throws `M_NOT_YET_UPLOADED` at the timeout.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediadownloadservernamemediaid
 */
export async function findMedia(
  rt: Pick<Runtime, 'db' | 'bus' | 'clock' | 'config' | 'serverName'>,
  name: MediaName,
  request: MediaRequest,
): Promise<FoundMedia> {
  const deadline = rt.clock.now() + Math.min(request.timeoutMs ?? DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS)
  for (;;) {
    const { promise, resolve } = Promise.withResolvers<void>()
    // Subscribe first, then look.
    const unsubscribe = rt.bus.wait([mediaTopic(name)], () => resolve())
    const wake = () => resolve()
    request.signal.addEventListener('abort', wake, { once: true })
    const remainingMs = Math.max(0, deadline - rt.clock.now())
    const timer = rt.clock.later(Math.min(remainingMs, LOOK_AGAIN_MS), resolve)
    try {
      const content = await look(rt, name, request)
      if (content) return content
      if (remainingMs === 0 || request.signal.aborted) {
        throw new MatrixError('M_NOT_YET_UPLOADED', 'the content has not yet been uploaded')
      }
      await promise
    } finally {
      timer.cancel()
      unsubscribe()
      request.signal.removeEventListener('abort', wake)
    }
  }
}

/**
 * Returns undefined for what was reserved and may still come. Where the setting is off, media of this server are served to
 * everyone, also those uploaded while it was on.
 */
async function look(
  rt: Pick<Runtime, 'db' | 'clock' | 'config' | 'serverName'>,
  name: MediaName,
  { isAuthenticated }: MediaRequest,
): Promise<FoundMedia | undefined> {
  const media = await mediaByName(rt.db.read, name)
  const isOpen = name.serverName === rt.serverName && !rt.config.media.requiresAuthentication
  if (!media || (media.isAuthenticatedOnly && !isAuthenticated && !isOpen)) throw noSuchMedia()
  if (!media.content && (media.unusedExpiresTs ?? 0) <= rt.clock.now()) throw noSuchMedia()
  const { createdTs, lastAccessTs } = media
  return media.content && { ...media.content, createdTs, lastAccessTs }
}
