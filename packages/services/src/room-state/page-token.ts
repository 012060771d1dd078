// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'

/**
 * A place between two events of the log, how many changes of typing had happened, the last message the device was given,
 * and the place of the first sync that it goes back to; 0 where that is not known.
 */
export interface StreamToken {
  readonly position: number
  readonly typing: number
  readonly toDevice: number
  readonly begun: number
}

/** A token as clients keep it. It means the same after a restart. */
export function printToken({ position, typing, toDevice, begun }: StreamToken): string {
  return `s${position}_${typing}_${toDevice}${begun === 0 ? '' : `_${begun}`}`
}

/** A token for paging through a room, which says nothing but the position. */
export function printPosition(position: number): string {
  return printToken({ position, typing: 0, toDevice: 0, begun: 0 })
}

/** The token a client sent back; throws `M_INVALID_PARAM` for anything we did not write. */
export function parseToken(text: string): StreamToken {
  const match = /^s(-?\d{1,16}(?:\.\d{1,20})?)_(\d{1,15})_(\d{1,15})(?:_(\d{1,15}))?$/.exec(text)
  if (!match) throw new MatrixError('M_INVALID_PARAM', 'not a token of this server')
  const [position = 0, typing = 0, toDevice = 0] = match.slice(1, 4).map(Number)
  return { position, typing, toDevice, begun: Number(match[4] ?? 0) }
}
