// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'

/** The request that a page belongs to; it must be the same for all pages. */
export interface Walk {
  readonly roomId: string
  readonly suggestedOnly: boolean
  readonly maxDepth: number
}

/** Returns the number of rooms already returned, as a token. */
export function printShown(shown: number, walk: Walk): string {
  return Buffer.from(JSON.stringify([shown, walk.roomId, walk.suggestedOnly, walk.maxDepth])).toString('base64url')
}

/** Parses a token of {@link printShown} for the same request; throws `M_INVALID_PARAM` for any other text. */
export function parseShown(token: string, walk: Walk): number {
  const [, count] = /^\[(\d{1,6}),/.exec(Buffer.from(token, 'base64url').toString()) ?? []
  if (count === undefined || printShown(Number(count), walk) !== token) {
    throw new MatrixError(
      'M_INVALID_PARAM',
      'invalid pagination token; `suggested_only` and `max_depth` must not change',
    )
  }
  return Number(count)
}
