// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import type { Tx } from '@myelin/storage/engine/database'
import { dehydratedDeviceOf } from '@myelin/storage/accounts/dehydrated-devices'
import {
  ADMIN_DEVICE,
  countDevices,
  deleteDevices,
  isCrossSigningKey,
  leastUsedDevices,
  putDevice,
} from '@myelin/storage/accounts/devices'
import type { Nid } from '@myelin/storage/schema/schema'
import { deleteTokens, dropExpiredTokens, putTokens } from '@myelin/storage/accounts/sessions'
import type { Runtime } from '../runtime/runtime.ts'

/** The device that logs in, and its capabilities. */
export interface SessionRequest {
  readonly userId: UserId
  /** An existing device is reused. */
  readonly deviceId: string | undefined
  readonly displayName: string | undefined
  /** The client supports refresh tokens. */
  readonly canRefresh: boolean
}

/** Tokens in plain text, which are never stored. */
export interface Tokens {
  readonly accessToken: string
  readonly refreshToken?: string
  readonly expiresInMs?: number
}

/** A started session. */
export interface StartedSession extends Tokens {
  readonly userId: UserId
  readonly deviceId: string
}

type Needs = Pick<Runtime, 'clock' | 'random' | 'config'>

const TOKEN_CHARACTERS = 43
/** The most tokens by which admins act for one user. */
const MAX_ADMIN_TOKENS = 100
const MAX_NAME_LENGTH = 100
/** The most devices of a user. */
export const MAX_DEVICES = 1000

/**
 * Starts a session on a device: creates it if it is new, and revokes its earlier tokens.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#relationship-between-access-tokens-and-devices
 */
export async function startSession(
  rt: Needs & Pick<Runtime, 'log'>,
  tx: Tx,
  request: SessionRequest,
): Promise<StartedSession> {
  const { userId } = request
  const deviceId = request.deviceId ?? rt.random.token(10).toUpperCase()
  if (request.deviceId !== undefined) await refuseTakenName(tx, userId, deviceId)
  const now = rt.clock.now()
  const displayName = request.displayName === undefined ? null : shortenedName(request.displayName)
  await putDevice(tx, userId, { deviceId, displayName, createdTs: now })
  await makeRoom(rt, tx, userId, deviceId)
  await deleteTokens(tx, userId, deviceId)
  const { sessionMs } = rt.config.sessions
  const sessionExpiresTs = sessionMs === undefined ? null : now + sessionMs
  const { tokens } = await issueTokens(rt, tx, { userId, deviceId, canRefresh: request.canRefresh, sessionExpiresTs })
  return { userId, deviceId, ...tokens }
}

/**
 * Returns an access token by which an admin acts for a user, without a device. It ends at `expiresTs`; null: with the account,
 * a new password, or a logout with it.
 *
 * @throws MatrixError `M_LIMIT_EXCEEDED` where the user has too many of them
 */
export async function issueAdminToken(
  rt: Pick<Runtime, 'clock' | 'random'>,
  tx: Tx,
  userId: UserId,
  expiresTs: number | null,
): Promise<string> {
  const count = await dropExpiredTokens(tx, userId, ADMIN_DEVICE, rt.clock.now())
  if (count >= MAX_ADMIN_TOKENS) {
    throw new MatrixError('M_LIMIT_EXCEEDED', `a user has at most ${MAX_ADMIN_TOKENS} tokens of admins`, {
      status: 400,
    })
  }
  const accessToken = `mla_${rt.random.token(TOKEN_CHARACTERS)}`
  await putTokens(tx, { userId, deviceId: ADMIN_DEVICE, accessToken, expiresTs })
  return accessToken
}

/** Creates a device without tokens, unless the user has it; the bound on devices holds as at a login. */
export async function addDevice(
  rt: Pick<Runtime, 'clock' | 'log'>,
  tx: Tx,
  userId: UserId,
  deviceId: string,
): Promise<void> {
  await refuseTakenName(tx, userId, deviceId)
  await putDevice(tx, userId, { deviceId, displayName: null, createdTs: rt.clock.now() })
  await makeRoom(rt, tx, userId, deviceId)
}

/**
 * Deletes the least recently used devices of a user who has too many, those without keys first: a login is not refused. The
 * user's other devices learn of it by a device list change, and the log has a line.
 */
async function makeRoom({ log }: Pick<Runtime, 'log'>, tx: Tx, userId: UserId, newDevice: string): Promise<void> {
  const surplus = (await countDevices(tx, userId)) - MAX_DEVICES
  if (surplus <= 0) return
  const deviceIds = (await leastUsedDevices(tx, userId, surplus + 1)).filter((id) => id !== newDevice).slice(0, surplus)
  await deleteDevices(tx, userId, deviceIds)
  tx.onCommit(() =>
    log.warn({ userId, deviceIds }, `a user with ${MAX_DEVICES} devices logged in; old ones are deleted`),
  )
}

/** Throws `M_FORBIDDEN` if an ID names a key or a dehydrated device, whose private keys no session may use as its own. */
async function refuseTakenName(tx: Tx, userId: UserId, deviceId: string): Promise<void> {
  if (await isCrossSigningKey(tx, userId, deviceId)) {
    throw new MatrixError('M_FORBIDDEN', '`device_id` must not be the ID of a cross-signing key')
  }
  if ((await dehydratedDeviceOf(tx, userId))?.deviceId === deviceId) {
    throw new MatrixError('M_FORBIDDEN', '`device_id` must not be the ID of a dehydrated device')
  }
}

/** Issues tokens for a device; none outlives the session. */
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

/** Returns the name of a new device with at most 100 characters, so that no login fails because of it. */
export function shortenedName(name: string): string {
  return name.length <= MAX_NAME_LENGTH ? name : Array.from(name).slice(0, MAX_NAME_LENGTH).join('')
}
