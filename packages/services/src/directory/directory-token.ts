// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isRoomId } from '@myelin/matrix/ids'
import type { DirectoryPlace } from '@myelin/storage/rooms/published-rooms'

/** Where a page of the directory starts: after a place, or before it. */
export type PageStart = { readonly after: DirectoryPlace } | { readonly before: DirectoryPlace }

/** A page's start as clients carry it. */
export function printStart(start: PageStart): string {
  const [sign, { joinedCount, roomId }] = 'after' in start ? (['n', start.after] as const) : ['p', start.before]
  return Buffer.from(`${sign}${joinedCount} ${roomId}`).toString('base64url')
}

/** Reads what {@link printStart} wrote; `M_INVALID_PARAM` for anything else. */
export function parseStart(token: string): PageStart {
  const text = Buffer.from(token, 'base64url').toString()
  const [, sign, count, roomId] = /^([np])(\d{1,15}) (.+)$/s.exec(text) ?? []
  if (!isRoomId(roomId)) throw new MatrixError('M_INVALID_PARAM', 'not a token of the room directory')
  const place = { joinedCount: Number(count), roomId }
  return sign === 'n' ? { after: place } : { before: place }
}
