// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto'
import type { ServerName } from '@myelin/matrix/ids'
import type { Read, Tx } from '../engine/database.ts'
import type { Bytes } from '../schema/schema.ts'

/** A preview of a URL, or the failure to make one. */
export interface KeptPreview {
  /** A JSON object; of a failure, an error text. */
  readonly answer: string
  readonly isFailure: boolean
  readonly expiresTs: number
}

// URLs are longer than an index entry of PostgreSQL may be.
const stored = (url: string): Bytes => hash('sha256', url, 'buffer')

/** Stores the preview of a URL in place of the earlier one. */
export async function putPreview(tx: Tx, url: string, preview: KeptPreview): Promise<void> {
  const row = { expires_ts: preview.expiresTs, is_failure: preview.isFailure ? 1 : 0, answer: preview.answer }
  await tx
    .insertInto('url_previews')
    .values({ url_hash: stored(url), ...row })
    .onConflict((at) => at.column('url_hash').doUpdateSet(row))
    .execute()
}

/** Returns the preview of a URL that has not expired. */
export async function previewOf(db: Read, url: string, now: number): Promise<KeptPreview | undefined> {
  const row = await db
    .selectFrom('url_previews')
    .selectAll()
    .where('url_hash', '=', stored(url))
    .where('expires_ts', '>', now)
    .executeTakeFirst()
  return row && { answer: row.answer, isFailure: row.is_failure === 1, expiresTs: row.expires_ts }
}

/** Deletes at most `limit` previews that expired, and returns their number. */
export async function dropExpiredPreviews(tx: Tx, now: number, limit: number): Promise<number> {
  const rows = await tx
    .selectFrom('url_previews')
    .select('url_hash')
    .where('expires_ts', '<=', now)
    .orderBy('expires_ts')
    .limit(limit)
    .execute()
  const hashes = rows.map((row) => row.url_hash)
  if (hashes.length > 0) await tx.deleteFrom('url_previews').where('url_hash', 'in', hashes).execute()
  return rows.length
}

/** Notes that a media ID of this server was taken for the image of a preview, and when it expires. */
export async function putPreviewImage(tx: Tx, mediaId: string, expiresTs: number): Promise<void> {
  await tx.insertInto('preview_images').values({ media_id: mediaId, expires_ts: expiresTs }).execute()
}

/** The images that were deleted: how many, and the hashes of their content. */
export interface DroppedImages {
  readonly count: number
  readonly hashes: readonly Bytes[]
}

/** Deletes at most `limit` images of previews that expired; their files remain. */
export async function dropExpiredImages(
  tx: Tx,
  serverName: ServerName,
  { now, limit }: { readonly now: number; readonly limit: number },
): Promise<DroppedImages> {
  const rows = await tx
    .selectFrom('preview_images')
    .select('media_id')
    .where('expires_ts', '<=', now)
    .orderBy('expires_ts')
    .limit(limit)
    .execute()
  const ids = rows.map((row) => row.media_id)
  if (ids.length === 0) return { count: 0, hashes: [] }
  const media = await tx
    .selectFrom('media')
    .select('sha256')
    .where('server_name', '=', serverName)
    .where('media_id', 'in', ids)
    .execute()
  await tx.deleteFrom('media').where('server_name', '=', serverName).where('media_id', 'in', ids).execute()
  await tx.deleteFrom('preview_images').where('media_id', 'in', ids).execute()
  return { count: ids.length, hashes: media.flatMap(({ sha256 }) => (sha256 === null ? [] : [sha256])) }
}

/** Returns whether any media has this content. */
export async function isContentUsed(db: Read, sha256: Bytes): Promise<boolean> {
  return (await db.selectFrom('media').select('media_id').where('sha256', '=', sha256).executeTakeFirst()) !== undefined
}
