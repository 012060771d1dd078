// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { earlierAnswer, rememberAnswer } from '@myelin/storage/accounts/transactions'
import type { TransactionKey } from '@myelin/storage/accounts/transactions'
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

type Needs = Pick<Runtime, 'db' | 'clock' | 'random' | 'config' | 'log' | 'serverName'>

const NONCE_LIFETIME_MS = 60_000
/** The time in milliseconds, something random, and the seal of both. */
const NONCE = /^[0-9a-f]{44}$/
const TIME_DIGITS = 12
const SEAL_DIGITS = 20

/**
 * Returns a nonce that must be signed within a minute, and is good for one try.
 *
 * It carries its time and the server's signature, so that nothing is stored before it is used.
 */
export function sharedSecretNonce(rt: Pick<Runtime, 'clock' | 'random' | 'config'>): string {
  const made = rt.clock.now().toString(16).padStart(TIME_DIGITS, '0')
  const unique = `${made}${Buffer.from(rt.random.bytes(6)).toString('hex')}`
  return `${unique}${sealOf(secretOf(rt), unique)}`
}

/**
 * Makes an account, or an admin's, for somebody who knows the shared secret, whether registration is open or not. The
 * first try uses the nonce up, so that a guess of the signature costs a nonce each.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/register_api.html
 */
export async function registerBySecret(rt: Needs, request: SecretRegistration): Promise<Registered> {
  const secret = secretOf(rt)
  if (!isFresh(rt, secret, request.nonce) || !(await useNonce(rt, request.nonce))) {
    throw refusal('unrecognised nonce', 400)
  }
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
  const ageMs = rt.clock.now() - Number.parseInt(nonce.slice(0, TIME_DIGITS), 16)
  const seal = sealOf(secret, nonce.slice(0, -SEAL_DIGITS))
  return ageMs >= 0 && ageMs <= NONCE_LIFETIME_MS && isSame(nonce.slice(-SEAL_DIGITS), seal)
}

/** Records on disk that a nonce is used, for every node and after a restart; false where it was used before. */
async function useNonce({ db, clock }: Pick<Runtime, 'db' | 'clock'>, nonce: string): Promise<boolean> {
  const key: TransactionKey = { userId: '', deviceId: '', endpoint: 'POST /_synapse/admin/v1/register', txnId: nonce }
  return db.write(async (tx) => {
    if ((await earlierAnswer(tx, key)) !== undefined) return false
    await rememberAnswer(tx, key, '', clock.now())
    return true
  })
}

function sealOf(secret: string, unique: string): string {
  return createHmac('sha256', secret).update(`nonce ${unique}`).digest('hex').slice(0, SEAL_DIGITS)
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
