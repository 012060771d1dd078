// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream'
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import { RemoteError } from '@myelin/remote/remote-error'
import { mediaByName, mediaTopic, putMedia } from '@myelin/storage/media/media'
import type { MediaName } from '@myelin/storage/media/media'
import type { Asker } from '../peers/ask-server.ts'
import { askMedia } from '../peers/media.ts'
import type { IncomingFile } from '../peers/media.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { PendingDownload } from '../runtime/blob-store.ts'
import { noteAccess } from './expire-remote-media.ts'
import { fileNameIn } from './file-name.ts'
import { findMedia } from './find-media.ts'
import type { FoundMedia, MediaRequest } from './find-media.ts'
import type { GrowingFile, MediaDescription } from '../runtime/growing-file.ts'
import type { IncomingBlob } from '../runtime/incoming-blob.ts'
import { noSuchMedia } from './media-name.ts'
import { contentTypeOf } from './upload.ts'

type Needs = Pick<Runtime, 'db' | 'bus' | 'clock' | 'blobs' | 'limits' | 'log'> & Asker

/** A request for media of any server. */
export interface AnyMediaRequest extends MediaRequest {
  /** A download from another server is allowed. */
  readonly mayFetch: boolean
  /** The requester, whose downloads are counted. */
  readonly userId: UserId
}

/**
 * Media that is streamed while it is downloaded. The stream ends well only once the whole file is stored; otherwise it
 * fails.
 */
export interface PassingMedia extends MediaDescription {
  readonly bytes: Readable
}

/** Files up to this size are served once complete, with a length. */
const WHOLE_BYTES = 256 * 1024
const DEFAULT_WAIT_MS = 20_000
const MAX_WAIT_MS = 60_000

/**
 * Returns media of this or another server. Remote media is downloaded once, stored under its name, and served to
 * authenticated clients only.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediadownloadservernamemediaid
 */
export async function findAnyMedia(rt: Needs, name: MediaName, request: AnyMediaRequest): Promise<FoundMedia> {
  const coming = await pendingDownload(rt, name, request)
  await coming?.kept
  return findStored(rt, name, request)
}

/** Returns media like {@link findAnyMedia}, but streams a large file while it is downloaded. */
export async function openAnyMedia(
  rt: Needs,
  name: MediaName,
  request: AnyMediaRequest,
): Promise<FoundMedia | PassingMedia> {
  const coming = await pendingDownload(rt, name, request)
  const bytes = await coming?.file.read(WHOLE_BYTES)
  const description = coming?.file.description
  return bytes && description ? { ...description, bytes } : findStored(rt, name, request)
}

async function findStored(rt: Needs, name: MediaName, request: AnyMediaRequest): Promise<FoundMedia> {
  const found = await findMedia(rt, name, request)
  await noteAccess(rt, name, found)
  return found
}

async function pendingDownload(
  rt: Needs,
  name: MediaName,
  request: AnyMediaRequest,
): Promise<PendingDownload | undefined> {
  if (name.serverName !== rt.serverName && rt.config.media.blockedServers.includes(name.serverName)) throw noSuchMedia()
  if (name.serverName === rt.serverName || (await mediaByName(rt.db.read, name))) return undefined
  if (!request.mayFetch || !request.isAuthenticated) throw noSuchMedia()
  return rt.blobs.once(mediaTopic(name), (growing) => fetchMedia(rt, name, request, growing))
}

async function fetchMedia(rt: Needs, name: MediaName, request: AnyMediaRequest, growing: GrowingFile): Promise<void> {
  const waitMs = Math.min(request.timeoutMs ?? DEFAULT_WAIT_MS, MAX_WAIT_MS)
  rt.limits.check('remoteMedia', request.userId)
  try {
    const file = await askMedia(rt, name, waitMs)
    const count = (sizeBytes: number): void => rt.limits.spend('remoteMedia', request.userId, sizeBytes)
    await store(rt, name, { ...file, bytes: counted(file.bytes, count) }, growing)
  } catch (cause) {
    if (!(cause instanceof RemoteError)) throw cause
    rt.remote.reportFailure(name.serverName, cause)
    throw mediaError(cause)
  }
}

/** Stores a downloaded file, then the row that names it, as for uploads. */
async function store(rt: Needs, name: MediaName, file: IncomingFile, growing: GrowingFile): Promise<void> {
  const said = { contentType: contentTypeOf(file.contentType), fileName: fileNameIn(file.contentDisposition ?? '') }
  growing.describe(said)
  const blob = await receive(rt, file, growing)
  try {
    await rt.db.write(async (tx) => {
      // Another node may have finished first.
      if (await mediaByName(tx, name)) return
      await putMedia(tx, {
        ...name,
        userId: undefined,
        createdTs: rt.clock.now(),
        unusedExpiresTs: undefined,
        isAuthenticatedOnly: true,
        content: { ...said, sha256: blob.sha256, sizeBytes: blob.sizeBytes },
      })
      await blob.keep()
    })
  } finally {
    await blob.discard()
  }
}

async function* counted(
  bytes: AsyncIterable<Uint8Array>,
  count: (sizeBytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    count(chunk.length)
    yield chunk
  }
}

async function receive(rt: Needs, file: IncomingFile, growing: GrowingFile): Promise<IncomingBlob> {
  const maxBytes = rt.config.media.maxUploadBytes
  const source = Readable.from(file.bytes, { objectMode: false })
  try {
    return await rt.blobs.receive(source, maxBytes, growing)
  } catch (cause) {
    if (cause instanceof MatrixError && cause.code === 'M_TOO_LARGE') {
      throw new MatrixError('M_TOO_LARGE', `the file has more than ${maxBytes} bytes`, { status: 502, cause })
    }
    if (cause instanceof MatrixError) throw new RemoteError('malformed', 'a media download was interrupted', { cause })
    throw cause
  } finally {
    source.destroy()
  }
}

/** Returns the client's error for a failed download. */
function mediaError(cause: RemoteError): MatrixError {
  if (cause.errcode === 'M_NOT_YET_UPLOADED') {
    return new MatrixError('M_NOT_YET_UPLOADED', 'the content has not yet been uploaded', { cause })
  }
  if (cause.errcode === 'M_TOO_LARGE') {
    return new MatrixError('M_TOO_LARGE', 'the file is too large for the other server', { status: 502, cause })
  }
  if (cause.status === 404) return noSuchMedia()
  return new MatrixError('M_UNKNOWN', 'the other server cannot be reached', { status: 502, cause })
}
