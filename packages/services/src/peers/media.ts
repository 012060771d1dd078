// SPDX-License-Identifier: Apache-2.0
import type { ServerName } from '@myelin/matrix/ids'
import { parseJson } from '@myelin/matrix/parse-json'
import { isObject, stringMember } from '@myelin/matrix/json'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import type { IncomingReply } from '@myelin/remote/transport'
import { requireFederation } from './ask-server.ts'
import type { Asker } from './ask-server.ts'
import { boundaryOf, secondPart } from './multipart.ts'

/** A file that is being downloaded, with its metadata. */
export interface IncomingFile {
  readonly bytes: AsyncIterable<Uint8Array>
  readonly contentType: string | undefined
  readonly contentDisposition: string | undefined
}

// For the whole file, however large.
const TIMEOUT_MS = 180_000
const MAX_HOPS = 3
const MAX_REFUSAL_BYTES = 4096

/**
 * Downloads a file from another server: through its federation API, or, where it does not support that yet, the older
 * client endpoint. Redirects are followed over TLS.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1mediadownloadmediaid
 */
export async function askMedia(
  rt: Asker,
  name: { readonly serverName: ServerName; readonly mediaId: string },
  waitMs: number,
): Promise<IncomingFile> {
  requireFederation(rt, name.serverName)
  const query = { timeout_ms: waitMs }
  const target = federationPath(['federation', 'v1', 'media', 'download', name.mediaId], query)
  const reply = await rt.remote.open(name.serverName, { method: 'GET', target, timeoutMs: TIMEOUT_MS })
  if (reply.status === 200) return fileIn(rt, reply)
  const { status, errcode } = await refusalIn(reply)
  if (status !== 404 || errcode !== 'M_UNRECOGNIZED') throw refused(name.serverName, status, errcode)
  return askAsClient(rt, name, waitMs)
}

async function askAsClient(
  rt: Asker,
  { serverName, mediaId }: { readonly serverName: ServerName; readonly mediaId: string },
  waitMs: number,
): Promise<IncomingFile> {
  const query = { allow_remote: false, timeout_ms: waitMs }
  const target = federationPath(['media', 'v3', 'download', serverName, mediaId], query)
  const reply = await rt.remote.open(serverName, { method: 'GET', target, isUnsigned: true, timeoutMs: TIMEOUT_MS })
  if (reply.status === 200) return plainFile(reply)
  const { status, errcode } = await refusalIn(reply)
  throw refused(serverName, status, errcode)
}

async function fileIn(rt: Asker, reply: IncomingReply): Promise<IncomingFile> {
  const boundary = boundaryOf(reply.headers['content-type'] ?? '')
  if (boundary === undefined) throw new RemoteError('malformed', 'a media answer has no multipart boundary')
  const { headers, bytes, close } = await secondPart(reply.body, boundary)
  const location = headers.get('location')
  if (location !== undefined) {
    await close()
    return fileAt(rt, location)
  }
  return {
    bytes,
    contentType: headers.get('content-type'),
    contentDisposition: headers.get('content-disposition'),
  }
}

async function fileAt(rt: Asker, location: string): Promise<IncomingFile> {
  let url = urlOf(location)
  for (let hop = 0; hop < MAX_HOPS; hop++) {
    const reply = await rt.remote.fetchPage(url, { timeoutMs: TIMEOUT_MS })
    if (reply.status === 200) return plainFile(reply)
    const next = reply.headers['location']
    await refusalIn(reply)
    if (![301, 302, 303, 307, 308].includes(reply.status) || next === undefined) {
      throw refused(url.host, reply.status, undefined)
    }
    url = urlOf(next, url)
  }
  throw new RemoteError('malformed', `${url.host} redirects too often`)
}

function urlOf(text: string, from?: URL): URL {
  const url = URL.parse(text, from?.href)
  if (!url) throw new RemoteError('malformed', 'a media redirect has no valid URL')
  return url
}

function plainFile({ body, headers }: IncomingReply): IncomingFile {
  return { bytes: body, contentType: headers['content-type'], contentDisposition: headers['content-disposition'] }
}

async function refusalIn(
  reply: IncomingReply,
): Promise<{ readonly status: number; readonly errcode: string | undefined }> {
  let text = ''
  for await (const chunk of reply.body) {
    text += Buffer.from(chunk).toString('latin1')
    if (text.length > MAX_REFUSAL_BYTES) break
  }
  try {
    const body = parseJson(text)
    return { status: reply.status, errcode: isObject(body) ? stringMember(body, 'errcode') : undefined }
  } catch {
    return { status: reply.status, errcode: undefined }
  }
}

function refused(server: string, status: number, errcode: string | undefined): RemoteError {
  const said = errcode === undefined ? {} : { errcode }
  return new RemoteError('refused', `${server} answered ${status}`, { status, ...said })
}
