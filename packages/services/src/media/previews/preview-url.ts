// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import { previewOf, putPreview } from '@myelin/storage/media/url-previews'
import type { KeptPreview } from '@myelin/storage/media/url-previews'
import { failed } from './fetch-page.ts'
import { makePreview } from './make-preview.ts'
import type { PreviewNeeds } from './make-preview.ts'
import { isBlocked } from './url-rules.ts'

/** The time for which a failure is kept, so that the members of a room do not repeat the request. */
const FAILURE_KEPT_MS = 60_000
const MAX_URL_LENGTH = 4096

/**
 * Returns the Open Graph properties of a page, as the text of a JSON object. A preview is kept for an hour or as long as its oEmbed
 * document says, at most a day. Requests for one URL share the work.
 *
 * @throws MatrixError `M_FORBIDDEN` where previews are disabled, `M_INVALID_PARAM` for a URL that is none, `M_UNKNOWN` (403) for a
 * blocked one, `M_LIMIT_EXCEEDED`, and as `makePreview`
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediapreview_url
 */
export async function previewUrl(rt: PreviewNeeds, user: UserId, text: string): Promise<string> {
  if (!rt.config.urlPreviews.isEnabled) throw new MatrixError('M_FORBIDDEN', 'URL previews are disabled')
  const url = urlIn(text)
  if (isBlocked(url, rt.config.urlPreviews.blockedUrls)) {
    throw new MatrixError('M_UNKNOWN', 'URL blocked by url pattern blocklist entry', { status: 403 })
  }
  url.hash = ''
  const kept = await previewOf(rt.db.read, url.href, rt.clock.now())
  if (kept) return answerOf(kept)
  rt.limits.take('urlPreviews', user)
  return answerOf(await rt.previews.share(url.href, () => makeAndKeep(rt, url)))
}

function urlIn(text: string): URL {
  const url = text.length <= MAX_URL_LENGTH ? URL.parse(text) : null
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw new MatrixError('M_INVALID_PARAM', '`url` must be an http or https URL of at most 4096 characters')
  }
  return url
}

function answerOf({ answer, isFailure }: KeptPreview): string {
  if (isFailure) throw failed(answer)
  return answer
}

async function makeAndKeep(rt: PreviewNeeds, url: URL): Promise<KeptPreview> {
  const made = await attempt(rt, url)
  await rt.db.write((tx) => putPreview(tx, url.href, made))
  return made
}

async function attempt(rt: PreviewNeeds, url: URL): Promise<KeptPreview> {
  try {
    const { properties, keptMs } = await makePreview(rt, url)
    return { answer: JSON.stringify(properties), isFailure: false, expiresTs: rt.clock.now() + keptMs }
  } catch (cause) {
    // Failures of this server, such as too many images in progress, are not kept.
    if (!(cause instanceof MatrixError) || cause.status !== 502) throw cause
    return { answer: cause.message, isFailure: true, expiresTs: rt.clock.now() + FAILURE_KEPT_MS }
  }
}
