// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import type { Tx } from '@myelin/storage/engine/database'
import { isCrossSigningKey, putDevice } from '@myelin/storage/accounts/devices'
import type { Nid } from '@myelin/storage/schema/schema'
import { deleteTokens, putTokens } from '@myelin/storage/accounts/sessions'
import type { Runtime } from '../runtime/runtime.ts'

/** Which device logs in, and what it can do. */
export interface SessionRequest {
  readonly userId: UserId
  /** A known one is taken over. */
  readonly deviceId: string | undefined
  readonly displayName: string | undefined
  /** Whether the client knows how to refresh. */
  readonly canRefresh: boolean
}

/** Tokens as they are handed out; this is the only time anybody sees them. */
export interface Tokens {
  readonly accessToken: string
  readonly refreshToken?: string
  readonly expiresInMs?: number
}

/** A device that has logged in. */
export interface StartedSession extends Tokens {
  readonly userId: UserId
  readonly deviceId: string
}

type Needs = Pick<Runtime, 'clock' | 'random' | 'config'>

const TOKEN_CHARACTERS = 43
const LONGEST_NAME = 100

/**
 * Logs a device in: makes it if it is new, and ends the tokens it had.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#relationship-between-access-tokens-and-devices
 */
export async function startSession(rt: Needs, tx: Tx, request: SessionRequest): Promise<StartedSession> {
  const { userId } = request
  const deviceId = request.deviceId ?? rt.random.token(10).toUpperCase()
  if (request.deviceId !== undefined && (await isCrossSigningKey(tx, userId, deviceId))) {
    throw new MatrixError('M_FORBIDDEN', 'a device cannot have the name of a cross-signing key')
  }
  const now = rt.clock.now()
  const displayName = request.displayName === undefined ? null : shortened(request.displayName)
  await putDevice(tx, userId, { deviceId, displayName, createdTs: now })
  await deleteTokens(tx, userId, deviceId)
  const { sessionMs } = rt.config.sessions
  const sessionExpiresTs = sessionMs === undefined ? null : now + sessionMs
  const { tokens } = await issueTokens(rt, tx, { userId, deviceId, canRefresh: request.canRefresh, sessionExpiresTs })
  return { userId, deviceId, ...tokens }
}

/** Makes tokens for a device; none of them outlives the session. */
export async function issueTokens(
  rt: Needs,
  tx: Tx,
  holder: { userId: UserId; deviceId: string; canRefresh: boolean; sessionExpiresTs: number | null },
): Promise<{ readonly tokens: Tokens; readonly refreshId: Nid | null }> {
  const { userId, deviceId, sessionExpiresTs } = holder
  const { refreshableAccessTokenMs, nonrefreshableAccessTokenMs, refreshTokenMs } = rt.config.sessions
  const isRefreshable = holder.canRefresh && refreshableAccessTokenMs !== undefined
  const now = rt.clock.now()
  const until = (lifetimeMs: number | undefined) =>
    earlier(lifetimeMs === undefined ? null : now + lifetimeMs, sessionExpiresTs)

  const accessToken = `mla_${rt.random.token(TOKEN_CHARACTERS)}`
  const expiresTs = until(isRefreshable ? refreshableAccessTokenMs : nonrefreshableAccessTokenMs)
  const refreshToken = isRefreshable ? `mlr_${rt.random.token(TOKEN_CHARACTERS)}` : undefined
  const refresh =
    refreshToken === undefined
      ? {}
      : { refresh: { token: refreshToken, expiresTs: until(refreshTokenMs), sessionExpiresTs } }
  const refreshId = await putTokens(tx, { userId, deviceId, accessToken, expiresTs, ...refresh })
  return {
    tokens: {
      accessToken,
      ...(refreshToken === undefined ? {} : { refreshToken }),
      ...(expiresTs === null ? {} : { expiresInMs: expiresTs - now }),
    },
    refreshId,
  }
}

function earlier(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b
  return Math.min(a, b)
}

/** A device's name is cut, not refused: a log-in must not fail over it. */
function shortened(name: string): string {
  return name.length <= LONGEST_NAME ? name : Array.from(name).slice(0, LONGEST_NAME).join('')
}
