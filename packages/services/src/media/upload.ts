// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream'
import { MatrixError } from '@myelin/matrix/errors'
import { fitsBytes } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import type { Read, Tx } from '@myelin/storage/engine/database'
import {
  dropExpiredMedia,
  fillMedia,
  mediaByName,
  mediaTopic,
  pendingExpiries,
  putMedia,
} from '@myelin/storage/media/media'
import type { MediaContent, MediaName } from '@myelin/storage/media/media'
import type { Runtime } from '../runtime/runtime.ts'
import { tooLarge } from '../runtime/incoming-blob.ts'
import { noSuchMedia } from './media-name.ts'
import { checkUploadLimits } from './upload-limits.ts'

type Needs = Pick<Runtime, 'db' | 'clock' | 'random' | 'blobs' | 'config' | 'serverName' | 'limits'>

/** An upload, and its metadata. */
export interface Upload {
  readonly stream: Readable
  readonly sizeBytes: number | undefined
  readonly contentType: string | undefined
  readonly fileName: string | undefined
}

const MAX_FILE_NAME_BYTES = 1024
const MEDIA_TYPE = /^[A-Za-z0-9!#$&^_.+-]{1,127}\/[A-Za-z0-9!#$&^_.+-]{1,127}(?: *;[\x20-\x7e]{0,200})?$/

/**
 * Stores an upload and returns its `mxc://` URI, once file and name are on disk.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixmediav3upload
 */
export async function uploadMedia(rt: Needs, userId: UserId, upload: Upload): Promise<string> {
  const name = newName(rt)
  await takeIn(rt, userId, upload, (tx, content) =>
    putMedia(tx, { ...name, ...fresh(rt, userId), unusedExpiresTs: undefined, content }),
  )
  return mediaTopic(name)
}

/**
 * Reserves a media ID that can be shared before its content is uploaded.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixmediav1create
 */
export async function reserveMedia(
  rt: Needs,
  userId: UserId,
): Promise<{ readonly uri: string; readonly unusedExpiresTs: number }> {
  const { maxPending, unusedMs } = rt.config.media
  rt.limits.take('mediaCreate', userId)
  const now = rt.clock.now()
  const [name, unusedExpiresTs] = [newName(rt), now + unusedMs]
  await rt.db.write(async (tx) => {
    await dropExpiredMedia(tx, userId, now)
    const pending = await pendingExpiries(tx, userId, now)
    if (pending.length >= maxPending) {
      const extra = { retry_after_ms: (pending[0] ?? now) - now }
      throw new MatrixError('M_LIMIT_EXCEEDED', 'too many uploads are pending', { extra })
    }
    await putMedia(tx, { ...name, ...fresh(rt, userId), unusedExpiresTs, content: undefined })
  })
  return { uri: mediaTopic(name), unusedExpiresTs }
}

/**
 * Stores an upload under a media ID that its uploader has reserved.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixmediav3uploadservernamemediaid
 */
export async function uploadReserved(rt: Needs, userId: UserId, name: MediaName, upload: Upload): Promise<void> {
  const check = (db: Read) => checkReserved(db, name, { userId, now: rt.clock.now() })
  await check(rt.db.read)
  await takeIn(rt, userId, upload, async (tx, content) => {
    await check(tx)
    await fillMedia(tx, name, { content, isAuthenticatedOnly: rt.config.media.requiresAuthentication })
  })
}

async function checkReserved(
  db: Read,
  name: MediaName,
  { userId, now }: { readonly userId: UserId; readonly now: number },
): Promise<void> {
  const media = await mediaByName(db, name)
  if (!media) throw noSuchMedia()
  if (media.userId !== userId) throw new MatrixError('M_FORBIDDEN', 'the media ID is reserved by another user')
  if (media.content) throw new MatrixError('M_CANNOT_OVERWRITE_MEDIA', 'the media ID already has content')
  if ((media.unusedExpiresTs ?? 0) <= now) throw noSuchMedia()
}

/** Stores the file before the row that names it, both in one unit, so that no name lacks its file. */
async function takeIn(
  rt: Needs,
  userId: UserId,
  upload: Upload,
  record: (tx: Tx, content: MediaContent) => Promise<void>,
): Promise<void> {
  const { maxUploadBytes } = rt.config.media
  if ((upload.sizeBytes ?? 0) > maxUploadBytes) throw tooLarge(maxUploadBytes)
  const said = saidOf(upload)
  await checkUploadLimits(rt, rt.db.read, { userId, sizeBytes: upload.sizeBytes ?? 0 })
  const blob = await rt.blobs.receive(upload.stream, maxUploadBytes)
  try {
    await rt.db.write(async (tx) => {
      await checkUploadLimits(rt, tx, { userId, sizeBytes: blob.sizeBytes })
      await record(tx, { ...said, sha256: blob.sha256, sizeBytes: blob.sizeBytes })
      await blob.keep()
    })
  } finally {
    await blob.discard()
  }
}

function saidOf({ contentType, fileName }: Upload): Pick<MediaContent, 'contentType' | 'fileName'> {
  if (fileName !== undefined && (fileName.includes('\0') || !fitsBytes(fileName, MAX_FILE_NAME_BYTES))) {
    throw new MatrixError('M_INVALID_PARAM', 'invalid file name')
  }
  return { contentType: contentTypeOf(contentType), fileName: fileName === '' ? undefined : fileName }
}

/** Returns the sender's media type, or the default for an invalid one. */
export function contentTypeOf(said: string | undefined): string {
  return said !== undefined && MEDIA_TYPE.test(said) ? said : 'application/octet-stream'
}

/** Returns a new media name of this server. */
export function newName(rt: Pick<Needs, 'serverName' | 'random'>): MediaName {
  return { serverName: rt.serverName, mediaId: rt.random.token(24) }
}

function fresh(rt: Needs, userId: UserId) {
  return { userId, createdTs: rt.clock.now(), isAuthenticatedOnly: rt.config.media.requiresAuthentication }
}
