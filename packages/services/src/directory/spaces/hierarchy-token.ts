// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'

/** Which walk a page belongs to: it must be the same for all its pages. */
export interface Walk {
  readonly roomId: string
  readonly suggestedOnly: boolean
  readonly maxDepth: number
}

/** How many rooms of a walk were shown, as clients carry it. */
export function printShown(shown: number, walk: Walk): string {
  return Buffer.from(JSON.stringify([shown, walk.roomId, walk.suggestedOnly, walk.maxDepth])).toString('base64url')
}

/** Reads what {@link printShown} wrote for this walk; `M_INVALID_PARAM` for anything else. */
export function parseShown(token: string, walk: Walk): number {
  const [, count] = /^\[(\d{1,6}),/.exec(Buffer.from(token, 'base64url').toString()) ?? []
  if (count === undefined || printShown(Number(count), walk) !== token) {
    throw new MatrixError('M_INVALID_PARAM', 'not a token of this walk; suggested_only and max_depth may not change')
  }
  return Number(count)
}
