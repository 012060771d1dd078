// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { IncomingReply } from '@myelin/remote/transport'
import { RemoteError } from '@myelin/remote/remote-error'
import type { Runtime } from '../../runtime/runtime.ts'
import { fileNameIn } from '../file-name.ts'
import { isBlocked } from './url-rules.ts'

/** The runtime, and the time until which pages may be fetched for one preview. */
export interface Fetching {
  readonly rt: Pick<Runtime, 'remote' | 'config' | 'clock'>
  readonly deadlineTs: number
}

/** A page, an image or an oEmbed document. Its body must be read, or discarded with {@link discard}. */
export interface FetchedPage {
  /** The URL after redirects. */
  readonly url: URL
  /** The media type in lower case, without parameters. */
  readonly type: string
  /** The `charset` parameter of the media type. */
  readonly charset: string | undefined
  readonly fileName: string | undefined
  readonly body: AsyncIterable<Uint8Array>
}

const MAX_REDIRECTS = 10
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308]

/**
 * Returns a page after its redirects, each of which is checked like the first URL.
 *
 * @throws MatrixError `M_UNKNOWN`: 403 where the settings block a URL, 502 where no page of an allowed type arrives
 */
export async function fetchPage(fetching: Fetching, start: URL, types: readonly string[]): Promise<FetchedPage> {
  let url = start
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const reply = await request(fetching, url)
    if (!REDIRECTS.includes(reply.status)) return pageOf(url, reply, types)
    const next = URL.parse(reply.headers['location'] ?? '', url.href)
    await discard(reply)
    if (!next || reply.headers['location'] === undefined)
      throw failed(`the page answered ${reply.status} without a URL`)
    url = next
  }
  throw failed('the page redirects too often')
}

/** Returns the error for a page that cannot be previewed. */
export function failed(message: string, cause?: unknown): MatrixError {
  return new MatrixError('M_UNKNOWN', message, { status: 502, cause })
}

/** Discards a body and its connection. */
export async function discard({ body }: Pick<IncomingReply, 'body'>): Promise<void> {
  try {
    for await (const _chunk of body) break
  } catch (cause) {
    if (!(cause instanceof RemoteError)) throw cause
  }
}

/** Returns the first bytes of a page, at most `maxBytes`. */
export async function readStart({ body }: FetchedPage, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of body) {
      chunks.push(chunk)
      size += chunk.length
      if (size >= maxBytes) break
    }
  } catch (cause) {
    if (!(cause instanceof RemoteError)) throw cause
    throw failed('the page was not received whole', cause)
  }
  return Buffer.concat(chunks).subarray(0, maxBytes)
}

async function request({ rt, deadlineTs }: Fetching, url: URL): Promise<IncomingReply> {
  const { blockedUrls, languages } = rt.config.urlPreviews
  if (!['http:', 'https:'].includes(url.protocol)) throw failed('only http and https URLs can be previewed')
  if (isBlocked(url, blockedUrls)) {
    throw new MatrixError('M_UNKNOWN', 'URL blocked by url pattern blocklist entry', { status: 403 })
  }
  const timeoutMs = deadlineTs - rt.clock.now()
  if (timeoutMs <= 0) throw failed('the page took too long')
  const headers = {
    'user-agent': 'Myelin (bot)',
    'accept-encoding': 'identity',
    ...(languages.length > 0 ? { 'accept-language': languages.join(', ') } : {}),
  }
  try {
    return await rt.remote.fetchForPreview(url, { timeoutMs, headers })
  } catch (cause) {
    // One text for all causes: users must not learn which private addresses have a server.
    if (cause instanceof RemoteError) throw failed('the page cannot be fetched', cause)
    throw cause
  }
}

async function pageOf(url: URL, reply: IncomingReply, types: readonly string[]): Promise<FetchedPage> {
  const refuse = async (message: string): Promise<never> => {
    await discard(reply)
    throw failed(message)
  }
  if (reply.status < 200 || reply.status > 299) return refuse(`the page answered ${reply.status}`)
  const encoding = reply.headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') return refuse('the page is compressed, which was not asked for')
  const { type, charset } = mediaTypeOf(reply.headers['content-type'] ?? '')
  if (!types.some((allowed) => type.startsWith(allowed))) return refuse('the page has no content that can be previewed')
  return { url, type, charset, fileName: fileNameIn(reply.headers['content-disposition'] ?? ''), body: reply.body }
}

function mediaTypeOf(header: string): { readonly type: string; readonly charset: string | undefined } {
  const [type = '', ...parameters] = header.slice(0, 256).toLowerCase().split(';')
  const charset = parameters.map((each) => each.trim()).find((each) => each.startsWith('charset='))
  return { type: type.trim(), charset: charset?.slice('charset='.length).replaceAll('"', '') }
}
