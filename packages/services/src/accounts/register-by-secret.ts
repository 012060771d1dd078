// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Runtime } from '../runtime/runtime.ts'
import { makeAccount } from './make-account.ts'
import { checkNewPassword, hashPassword } from './passwords.ts'
import type { Registered } from './register.ts'
import { startSession } from './start-session.ts'
import { freeUserId } from './usernames.ts'

/** A registration with the shared secret. */
export interface SecretRegistration {
  readonly nonce: string
  readonly username: string
  readonly password: string
  readonly isAdmin: boolean
  /** Part of the signed text, without a meaning here. */
  readonly userType: string | undefined
  readonly displayName: string | undefined
  readonly mac: string
  readonly inhibitLogin: boolean
}

type Needs = Pick<Runtime, 'db' | 'clock' | 'random' | 'config' | 'serverName'>

const NONCE_LIFETIME_MS = 60_000
const NONCE = /^[0-9a-f]{44}$/

/**
 * Returns a nonce to sign within a minute.
 *
 * It contains its time and this server's MAC, so nothing is stored for unauthenticated callers. Using it twice has no
 * effect, because the account exists by then.
 */
export function sharedSecretNonce(rt: Pick<Runtime, 'clock' | 'config'>): string {
  const made = rt.clock.now().toString(16).padStart(12, '0')
  return `${made}${sealOf(secretOf(rt), made)}`
}

/**
 * Registers an account, optionally an admin's, for a caller with the shared secret, whether registration is open or
 * not.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/register_api.html
 */
export async function registerBySecret(rt: Needs, request: SecretRegistration): Promise<Registered> {
  const secret = secretOf(rt)
  if (!isFresh(rt, secret, request.nonce)) throw refusal('unrecognised nonce', 400)
  if ([request.username, request.password, request.userType ?? ''].some((text) => text.includes('\0'))) {
    throw new MatrixError('M_INVALID_PARAM', 'the signed values must not contain a null byte')
  }
  if (!isSame(request.mac.toLowerCase(), macOf(secret, request))) throw refusal('HMAC incorrect', 403)
  checkNewPassword(rt.config.passwords.policy, request.password)
  const userId = await freeUserId(rt, request.username)
  const passwordHash = await hashPassword(rt, request.password)
  return rt.db.write(async (tx) => {
    await makeAccount(rt, tx, { userId, passwordHash, isAdmin: request.isAdmin, displayName: request.displayName })
    if (request.inhibitLogin) return { userId, session: undefined }
    const device = { deviceId: undefined, displayName: undefined, canRefresh: false }
    return { userId, session: await startSession(rt, tx, { userId, ...device }) }
  })
}

function secretOf(rt: Pick<Runtime, 'config'>): string {
  const { sharedSecret } = rt.config.registration
  if (sharedSecret === undefined) throw refusal('registration by shared secret is not enabled', 400)
  return sharedSecret
}

function isFresh(rt: Pick<Runtime, 'clock'>, secret: string, nonce: string): boolean {
  if (!NONCE.test(nonce)) return false
  const made = nonce.slice(0, 12)
  const ageMs = rt.clock.now() - Number.parseInt(made, 16)
  return ageMs >= 0 && ageMs <= NONCE_LIFETIME_MS && isSame(nonce.slice(12), sealOf(secret, made))
}

function sealOf(secret: string, made: string): string {
  return createHmac('sha256', secret).update(`nonce ${made}`).digest('hex').slice(0, 32)
}

function macOf(secret: string, { nonce, username, password, isAdmin, userType }: SecretRegistration): string {
  const parts = [
    nonce,
    username,
    password,
    isAdmin ? 'admin' : 'notadmin',
    ...(userType === undefined ? [] : [userType]),
  ]
  return createHmac('sha1', secret).update(parts.join('\0')).digest('hex')
}

function isSame(given: string, right: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function refusal(message: string, status: number): MatrixError {
  return new MatrixError('M_UNKNOWN', message, { status })
}
