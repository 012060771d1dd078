// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { GROUP_KEYS, SEARCH_ORDERS } from './search-request.ts'
import type { GroupKey, SearchOrder } from './search-request.ts'

/** A place in the results of a search, after which the next page begins. */
export interface SearchPlace {
  readonly order: SearchOrder
  /** The entries of the index after one and up to another, by id; in `rank` order they are ranked together. */
  readonly after: number
  readonly upTo: number
  /** The rank and the entry of the last result, where the entries were not all returned. */
  readonly last: { readonly rank: number; readonly entryId: number } | undefined
  /** The number of results, as the first page said. */
  readonly count: number
  /** The group that the page is of. */
  readonly group: SearchGroup | undefined
}

/** A group of results. */
export interface SearchGroup {
  readonly key: GroupKey
  readonly value: string
}

/** Longer tokens are not looked at: the value of a group has at most 255 bytes. */
const MAX_TOKEN_CHARS = 2_048

/** Returns a place in the form that clients get. It stays valid across restarts. */
export function printPlace({ order, after, upTo, last, count, group }: SearchPlace): string {
  const parts = [
    order,
    after,
    upTo === Infinity ? null : upTo,
    last?.rank ?? null,
    last?.entryId ?? null,
    count,
    group?.key ?? null,
    group?.value ?? null,
  ]
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

/** Parses the token of a client; throws `M_INVALID_PARAM` for any other text, and for one of another order. */
export function parsePlace(text: string, order: SearchOrder): SearchPlace {
  const parts = partsOf(text)
  const [own, after, upTo, rank, entryId, count, key, value] = parts ?? []
  const isWhole =
    SEARCH_ORDERS.some((each) => each === own) && isId(after) && isId(count) && (upTo === null || isId(upTo))
  const isLast = (rank === null && entryId === null) || (isRank(rank) && isId(entryId))
  const isGroup =
    (key === null && value === null) || (GROUP_KEYS.some((each) => each === key) && typeof value === 'string')
  if (!isWhole || !isLast || !isGroup || own !== order)
    throw new MatrixError('M_INVALID_PARAM', '`next_batch` must be a token of the same search')
  return {
    order,
    after,
    count,
    upTo: isId(upTo) ? upTo : Infinity,
    last: isRank(rank) && isId(entryId) ? { rank, entryId } : undefined,
    group: typeof value === 'string' ? { key: key as GroupKey, value } : undefined,
  }
}

function partsOf(text: string): readonly unknown[] | undefined {
  if (text.length > MAX_TOKEN_CHARS) return undefined
  try {
    const parts = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown
    return Array.isArray(parts) ? (parts as readonly unknown[]) : undefined
  } catch {
    return undefined
  }
}

const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isRank = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= 1
