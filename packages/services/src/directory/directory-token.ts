// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isRoomId } from '@myelin/matrix/ids'
import type { DirectoryPlace } from '@myelin/storage/rooms/published-rooms'

/** The start of a page of the directory: after a place, or before it. */
export type PageStart = { readonly after: DirectoryPlace } | { readonly before: DirectoryPlace }

/** Returns a page's start as a token. */
export function printStart(start: PageStart): string {
  const [sign, { joinedCount, roomId }] = 'after' in start ? (['n', start.after] as const) : ['p', start.before]
  return Buffer.from(`${sign}${joinedCount} ${roomId}`).toString('base64url')
}

/** Parses a token of {@link printStart}; throws `M_INVALID_PARAM` for any other text. */
export function parseStart(token: string): PageStart {
  const text = Buffer.from(token, 'base64url').toString()
  const [, sign, count, roomId] = /^([np])(\d{1,15}) (.+)$/s.exec(text) ?? []
  if (!isRoomId(roomId)) throw new MatrixError('M_INVALID_PARAM', 'invalid pagination token')
  const place = { joinedCount: Number(count), roomId }
  return sign === 'n' ? { after: place } : { before: place }
}
