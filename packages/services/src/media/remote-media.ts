// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream'
import { MatrixError } from '@myelin/matrix/errors'
import { RemoteError } from '@myelin/remote/remote-error'
import { mediaByName, mediaTopic, putMedia } from '@myelin/storage/media'
import type { MediaContent, MediaName } from '@myelin/storage/media'
import type { Asker } from '../federation/ask/ask-server.ts'
import { askMedia } from '../federation/ask/media.ts'
import type { IncomingFile } from '../federation/ask/media.ts'
import type { Runtime } from '../runtime.ts'
import { fileNameIn } from './file-name.ts'
import { findMedia } from './find-media.ts'
import type { MediaWish } from './find-media.ts'
import { noSuchMedia } from './media-name.ts'
import { contentTypeOf } from './upload.ts'

type Needs = Pick<Runtime, 'db' | 'bus' | 'clock' | 'blobs'> & Asker

/** Who asks for media of any server. */
export interface AnyMediaWish extends MediaWish {
  /** Whether other servers may be asked. */
  readonly mayFetch: boolean
}

const DEFAULT_WAIT_MS = 20_000
const MAX_WAIT_MS = 60_000

/**
 * What is behind a name of this server or another. What is another server's is fetched once, kept under its name, and
 * shown only to who says who they are.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediadownloadservernamemediaid
 */
export async function findAnyMedia(rt: Needs, name: MediaName, wish: AnyMediaWish): Promise<MediaContent> {
  const isAway = name.serverName !== rt.serverName
  if (isAway && !(await mediaByName(rt.db.read, name))) {
    if (!wish.mayFetch || !wish.isAuthenticated) throw noSuchMedia()
    const waitMs = Math.min(wish.timeoutMs ?? DEFAULT_WAIT_MS, MAX_WAIT_MS)
    await rt.blobs.once(mediaTopic(name), () => fetchMedia(rt, name, waitMs))
  }
  return findMedia(rt, name, wish)
}

async function fetchMedia(rt: Needs, name: MediaName, waitMs: number): Promise<void> {
  try {
    await store(rt, name, await askMedia(rt, name, waitMs))
  } catch (cause) {
    throw cause instanceof RemoteError ? asTold(cause) : cause
  }
}

/** File first, then the row that names it, as with uploads. */
async function store(rt: Needs, name: MediaName, file: IncomingFile): Promise<void> {
  const maxBytes = rt.config.media.maxUploadBytes
  const blob = await receive(rt, file, maxBytes)
  try {
    await rt.db.write(async (tx) => {
      // Another node may have been faster.
      if (await mediaByName(tx, name)) return
      const fileName = fileNameIn(file.contentDisposition ?? '')
      const said = { contentType: contentTypeOf(file.contentType), fileName }
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

async function receive(rt: Needs, file: IncomingFile, maxBytes: number) {
  const source = Readable.from(file.bytes, { objectMode: false })
  try {
    return await rt.blobs.receive(source, maxBytes)
  } catch (cause) {
    if (cause instanceof MatrixError && cause.code === 'M_TOO_LARGE') {
      throw new MatrixError('M_TOO_LARGE', `the file has more than ${maxBytes} bytes`, { status: 502, cause })
    }
    if (cause instanceof MatrixError) throw new RemoteError('malformed', 'a file broke off', { cause })
    throw cause
  } finally {
    source.destroy()
  }
}

/** What the other server said of its file, for our client. */
function asTold(cause: RemoteError): MatrixError {
  if (cause.errcode === 'M_NOT_YET_UPLOADED') {
    return new MatrixError('M_NOT_YET_UPLOADED', 'the content has not yet been uploaded', { cause })
  }
  if (cause.errcode === 'M_TOO_LARGE') {
    return new MatrixError('M_TOO_LARGE', 'the other server finds the file too large', { status: 502, cause })
  }
  if (cause.status === 404) return noSuchMedia()
  return new MatrixError('M_UNKNOWN', 'the other server cannot be reached', { status: 502, cause })
}
