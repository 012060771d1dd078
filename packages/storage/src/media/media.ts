// SPDX-License-Identifier: Apache-2.0
import type { ServerName, UserId } from '@myelin/matrix/ids'
import type { Read, Tx } from '../engine/database.ts'
import type { Bytes, Tables } from '../schema/schema.ts'

/** The two parts of an `mxc://` URI. */
export interface MediaName {
  readonly serverName: ServerName
  readonly mediaId: string
}

/** Uploaded content: the hash of the blob, and its metadata. */
export interface MediaContent {
  readonly sha256: Bytes
  readonly sizeBytes: number
  readonly contentType: string
  readonly fileName: string | undefined
}

/** A media ID and its content, which is absent while the ID is only reserved. */
export interface Media extends MediaName {
  readonly userId: UserId | undefined
  readonly createdTs: number
  /** Until when a reserved name may be used. */
  readonly unusedExpiresTs: number | undefined
  readonly content: MediaContent | undefined
  /** Not served without authentication. */
  readonly isAuthenticatedOnly: boolean
}

/** Returns the topic that is touched when a reserved name gets its content. */
export function mediaTopic({ serverName, mediaId }: MediaName): string {
  return `mxc://${serverName}/${mediaId}`
}

/** Takes a name for something uploaded, or about to be. */
export async function putMedia(tx: Tx, media: Media): Promise<void> {
  await tx
    .insertInto('media')
    .values({
      server_name: media.serverName,
      media_id: media.mediaId,
      user_id: media.userId ?? null,
      created_ts: media.createdTs,
      unused_expires_ts: media.unusedExpiresTs ?? null,
      is_authenticated_only: media.isAuthenticatedOnly ? 1 : 0,
      last_access_ts: media.createdTs,
      ...contentColumns(media.content),
    })
    .execute()
}

/** Stores the content of a reserved media ID, and wakes the requests that wait for it. */
export async function fillMedia(
  tx: Tx,
  name: MediaName,
  { content, isAuthenticatedOnly }: { readonly content: MediaContent; readonly isAuthenticatedOnly: boolean },
): Promise<void> {
  const flags = { unused_expires_ts: null, is_authenticated_only: isAuthenticatedOnly ? 1 : 0 }
  await tx
    .updateTable('media')
    .set({ ...contentColumns(content), ...flags })
    .where('server_name', '=', name.serverName)
    .where('media_id', '=', name.mediaId)
    .execute()
  tx.touch(mediaTopic(name))
}

/** Media in the store, and a time near its last access: see `noteMediaAccess`. */
export interface StoredMedia extends Media {
  readonly lastAccessTs: number
}

/** Returns the media of a name. */
export async function mediaByName(db: Read, { serverName, mediaId }: MediaName): Promise<StoredMedia | undefined> {
  const row = await db
    .selectFrom('media')
    .selectAll()
    .where('server_name', '=', serverName)
    .where('media_id', '=', mediaId)
    .executeTakeFirst()
  return row && mediaFrom(row)
}

/** Returns the expiry times of a user's unused reservations, the soonest first. */
export async function pendingExpiries(db: Read, user: UserId, now: number): Promise<number[]> {
  const rows = await db
    .selectFrom('media')
    .select('unused_expires_ts')
    .where('user_id', '=', user)
    .where('unused_expires_ts', '>', now)
    .orderBy('unused_expires_ts')
    .execute()
  return rows.flatMap((row) => row.unused_expires_ts ?? [])
}

/** Returns the bytes that a user uploaded since a time. */
export async function uploadedBytes(db: Read, user: UserId, sinceTs: number): Promise<number> {
  const row = await db
    .selectFrom('media')
    .select(({ fn }) => fn.sum<number | string | null>('size_bytes').as('sum'))
    .where('user_id', '=', user)
    .where('created_ts', '>', sinceTs)
    .executeTakeFirst()
  return Number(row?.sum ?? 0)
}

/** Gives back the names a user reserved and did not use in time. */
export async function dropExpiredMedia(tx: Tx, user: UserId, now: number): Promise<void> {
  await tx.deleteFrom('media').where('user_id', '=', user).where('unused_expires_ts', '<=', now).execute()
}

function contentColumns(content: MediaContent | undefined) {
  return {
    sha256: content?.sha256 ?? null,
    size_bytes: content?.sizeBytes ?? null,
    content_type: content?.contentType ?? null,
    file_name: content?.fileName ?? null,
  }
}

function mediaFrom(row: Tables['media']): StoredMedia {
  return {
    serverName: row.server_name,
    mediaId: row.media_id,
    userId: (row.user_id ?? undefined) as UserId | undefined,
    createdTs: row.created_ts,
    unusedExpiresTs: row.unused_expires_ts ?? undefined,
    isAuthenticatedOnly: row.is_authenticated_only === 1,
    lastAccessTs: row.last_access_ts,
    content: contentFrom(row),
  }
}

function contentFrom(row: Tables['media']): MediaContent | undefined {
  if (row.sha256 === null || row.size_bytes === null) return undefined
  return {
    sha256: row.sha256,
    sizeBytes: row.size_bytes,
    contentType: row.content_type ?? 'application/octet-stream',
    fileName: row.file_name ?? undefined,
  }
}
