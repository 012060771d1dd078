// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream'
import { MatrixError } from '@myelin/matrix/errors'
import { mediaTopic, putMedia } from '@myelin/storage/media/media'
import { putPreviewImage } from '@myelin/storage/media/url-previews'
import type { IncomingBlob } from '../../runtime/incoming-blob.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { describeImage } from '../make-thumbnail.ts'
import { contentTypeOf, newName } from '../upload.ts'
import { failed } from './fetch-page.ts'
import type { FetchedPage } from './fetch-page.ts'

type Needs = Pick<Runtime, 'db' | 'blobs' | 'clock' | 'random' | 'config' | 'serverName'>

/** The time for which images of previews are kept: longer than any preview that names them. */
const IMAGES_KEPT_MS = 2 * 24 * 3600 * 1000

/**
 * Stores the image of a preview as media of this server that expires, and returns its properties.
 *
 * @throws MatrixError where it is too large or no image that thumbnails can be made of
 */
export async function keepImage(rt: Needs, image: FetchedPage): Promise<Map<string, string | number>> {
  const blob = await receive(rt, image)
  try {
    const found = await rt.blobs.makeInTurn(() => describeImage(blob.path, rt.config.media.maxImagePixels))
    const name = newName(rt)
    const now = rt.clock.now()
    const content = {
      sha256: blob.sha256,
      sizeBytes: blob.sizeBytes,
      contentType: contentTypeOf(found.contentType),
      fileName: image.fileName,
    }
    await rt.db.write(async (tx) => {
      const isAuthenticatedOnly = rt.config.media.requiresAuthentication
      const media = { ...name, userId: undefined, createdTs: now, unusedExpiresTs: undefined, isAuthenticatedOnly }
      await putMedia(tx, { ...media, content })
      await putPreviewImage(tx, name.mediaId, now + IMAGES_KEPT_MS)
      await blob.keep()
    })
    return new Map<string, string | number>([
      ['og:image', mediaTopic(name)],
      ['og:image:type', content.contentType],
      ['og:image:width', found.width],
      ['og:image:height', found.height],
      ['matrix:image:size', blob.sizeBytes],
    ])
  } finally {
    await blob.discard()
  }
}

async function receive(rt: Needs, { body }: FetchedPage): Promise<IncomingBlob> {
  const source = Readable.from(body, { objectMode: false })
  try {
    return await rt.blobs.receive(source, rt.config.urlPreviews.maxBytes)
  } catch (cause) {
    if (!(cause instanceof MatrixError)) throw cause
    if (cause.code === 'M_TOO_LARGE') {
      throw new MatrixError('M_TOO_LARGE', 'the image is too large', { status: 502, cause })
    }
    throw failed('the image was not received whole', cause)
  } finally {
    source.destroy()
  }
}
