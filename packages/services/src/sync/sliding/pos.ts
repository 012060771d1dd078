// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { parseToken, printToken } from '../../room-state/page-token.ts'
import type { StreamToken } from '../../room-state/page-token.ts'

/** A position of a connection: how far it was answered, and the last of its steps. */
export interface Pos {
  readonly token: StreamToken
  readonly connection: number
  readonly serial: number
}

/** Returns a `pos`. `/messages` and `/relations` take it for the token in it. */
export function printPos({ token, connection, serial }: Pos): string {
  return `${printToken(token)}~${connection}.${serial}`
}

/** Parses a `pos`; throws `M_UNKNOWN_POS` for any other text. */
export function parsePos(text: string): Pos {
  const match = /^(s[\d_.-]+)~(\d{1,15})\.(\d{1,15})$/.exec(text)
  if (!match?.[1]) throw unknownPos()
  return { token: tokenOf(match[1]), connection: Number(match[2]), serial: Number(match[3]) }
}

function tokenOf(text: string): StreamToken {
  try {
    return parseToken(text)
  } catch (cause) {
    if (cause instanceof MatrixError) throw unknownPos()
    throw cause
  }
}

/** Returns the error for a `pos` that is unknown to the connection; the client starts again. */
export function unknownPos(): MatrixError {
  return new MatrixError('M_UNKNOWN_POS', 'unknown `pos`: start a new connection by leaving it out')
}
