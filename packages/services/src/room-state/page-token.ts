// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'

/**
 * A position in the event stream, the typing serial, the position of the last delivered to-device message, and the
 * position of the first sync it derives from; 0 where that is not known.
 */
export interface StreamToken {
  readonly position: number
  readonly typing: number
  readonly toDevice: number
  readonly begun: number
  /** The position up to which sticky events were sent, where it is before `position`. */
  readonly sticky?: number | undefined
  /** The cursor of the profiles that are still to be sent. */
  readonly profiles?: ProfileCursor | undefined
}

/**
 * A stretch of the log whose profiles are being sent, in the order of the users' numbers, and the number of the last user sent.
 * `after` is 0 where those of all users who share a room are sent.
 */
export interface ProfileCursor {
  readonly after: number
  readonly upTo: number
  readonly user: number
}

/** Returns a token in the form that clients get. It stays valid across restarts. */
export function printToken({ position, typing, toDevice, begun, sticky, profiles }: StreamToken): string {
  const parts = [begun === 0 ? '' : `_${begun}`, sticky === undefined ? '' : `.${sticky}`]
  if (profiles) parts.push(`-${profiles.after}.${profiles.upTo}.${profiles.user}`)
  return `s${position}_${typing}_${toDevice}${parts.join('')}`
}

/** Returns a token for paging through a room, which has the position only. */
export function printPosition(position: number): string {
  return printToken({ position, typing: 0, toDevice: 0, begun: 0 })
}

/** Parses a token of a client, also a `pos` of sliding sync; throws `M_INVALID_PARAM` for any other text. */
export function parseToken(text: string): StreamToken {
  const match =
    /^s(-?\d{1,16}(?:\.\d{1,20})?)_(\d{1,15})_(\d{1,15})(?:_(\d{1,15}))?(?:\.(\d{1,15}))?(?:-(\d{1,15})\.(\d{1,15})\.(\d{1,15}))?(?:~\d{1,15}\.\d{1,15})?$/.exec(
      text,
    )
  if (!match) throw new MatrixError('M_INVALID_PARAM', 'invalid pagination token')
  const [position = 0, typing = 0, toDevice = 0] = match.slice(1, 4).map(Number)
  const sticky = match[5] === undefined ? {} : { sticky: Number(match[5]) }
  return { position, typing, toDevice, begun: Number(match[4] ?? 0), ...sticky, ...profilesIn(match) }
}

function profilesIn(match: readonly string[]): Pick<StreamToken, 'profiles'> {
  const [after, upTo = 0, user = 0] = match.slice(6, 9).map((each) => (each === undefined ? undefined : Number(each)))
  return after === undefined ? {} : { profiles: { after, upTo, user } }
}
