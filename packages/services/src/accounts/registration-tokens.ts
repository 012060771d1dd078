// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import {
  deleteRegistrationToken,
  isUsable,
  putRegistrationToken,
  putTokenUse,
  registrationToken,
  registrationTokens,
} from '@myelin/storage/accounts/registration-tokens'
import type { RegistrationToken, TokenLimits } from '@myelin/storage/accounts/registration-tokens'
import type { Read } from '@myelin/storage/engine/database'
import type { Runtime } from '../runtime/runtime.ts'
import { UIA_LIFETIME_MS } from '../standing/user-interactive-auth.ts'

export type { RegistrationToken, TokenLimits } from '@myelin/storage/accounts/registration-tokens'

type Needs = Pick<Runtime, 'db' | 'clock'>

/** The length of a generated token. */
export const TOKEN_LENGTH = 16
const TOKEN = /^[A-Za-z0-9._~-]{1,64}$/

const sinceOf = (rt: Needs): number => rt.clock.now() - UIA_LIFETIME_MS

/** Returns the tokens that are usable, those that are not, or all tokens where `isValid` is undefined. */
export async function listRegistrationTokens(rt: Needs, isValid: boolean | undefined): Promise<RegistrationToken[]> {
  const all = await registrationTokens(rt.db.read, sinceOf(rt))
  return isValid === undefined ? all : all.filter((token) => isUsable(token, rt.clock.now()) === isValid)
}

/**
 * Returns a token with its uses.
 *
 * @throws MatrixError `M_NOT_FOUND` where there is no such token
 */
export async function showRegistrationToken(rt: Needs, token: string): Promise<RegistrationToken> {
  return existing(rt, rt.db.read, token)
}

async function existing(rt: Needs, db: Read, token: string): Promise<RegistrationToken> {
  const found = await find(rt, db, token)
  if (!found) throw new MatrixError('M_NOT_FOUND', 'no such registration token')
  return found
}

// PostgreSQL refuses text with other bytes, so only well-formed tokens are looked up.
async function find(rt: Needs, db: Read, token: string): Promise<RegistrationToken | undefined> {
  return TOKEN.test(token) ? registrationToken(db, token, sinceOf(rt)) : undefined
}

/**
 * Creates a token.
 *
 * @throws MatrixError `M_INVALID_PARAM` where the token has other characters than those of the spec, is taken, or has expired
 * @see https://spec.matrix.org/v1.19/client-server-api/#token-authenticated-registration
 */
export async function createRegistrationToken(
  rt: Needs,
  token: string,
  limits: TokenLimits,
): Promise<RegistrationToken> {
  if (!TOKEN.test(token)) {
    throw new MatrixError('M_INVALID_PARAM', '`token` must have 1 to 64 characters, each one of A-Z a-z 0-9 . _ ~ -')
  }
  checkExpiry(rt, limits.expiresTs)
  return rt.db.write(async (tx) => {
    if (await find(rt, tx, token)) throw new MatrixError('M_INVALID_PARAM', `registration token exists: ${token}`)
    await putRegistrationToken(tx, token, limits)
    return { token, pending: 0, completed: 0, ...limits }
  })
}

function checkExpiry(rt: Needs, expiresTs: number | undefined): void {
  if (expiresTs !== undefined && expiresTs < rt.clock.now()) {
    throw new MatrixError('M_INVALID_PARAM', '`expiry_time` must not be in the past')
  }
}

/**
 * Changes the limits of a token; those that `limits` does not have stay.
 *
 * @throws MatrixError `M_NOT_FOUND` where there is no such token, `M_INVALID_PARAM` where the new expiry is in the past
 */
export async function changeRegistrationToken(
  rt: Needs,
  token: string,
  limits: Partial<TokenLimits>,
): Promise<RegistrationToken> {
  checkExpiry(rt, limits.expiresTs)
  return rt.db.write(async (tx) => {
    const changed = { ...(await existing(rt, tx, token)), ...limits }
    await putRegistrationToken(tx, token, changed)
    return changed
  })
}

/**
 * Deletes a token. Sessions that have used it may still register their account.
 *
 * @throws MatrixError `M_NOT_FOUND` where there is no such token
 */
export async function removeRegistrationToken(rt: Needs, token: string): Promise<void> {
  await rt.db.write(async (tx) => {
    await existing(rt, tx, token)
    await deleteRegistrationToken(tx, token)
  })
}

/**
 * Returns whether a token can be used to register.
 *
 * @throws MatrixError `M_FORBIDDEN` where registration is closed, `M_LIMIT_EXCEEDED` where an address asks too often
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1registermloginregistration_tokenvalidity
 */
export async function isRegistrationTokenValid(
  rt: Pick<Runtime, 'db' | 'clock' | 'config' | 'limits'>,
  token: string,
  address: string,
): Promise<boolean> {
  rt.limits.take('registrationTokens', address)
  if (!rt.config.registration.isEnabled) throw new MatrixError('M_FORBIDDEN', 'registration is disabled')
  const found = await find(rt, rt.db.read, token)
  return found !== undefined && isUsable(found, rt.clock.now())
}

/** A session that wants to use a token. */
interface TokenUser {
  readonly session: string
  readonly createdTs: number
  /** The client's address, by which wrong tokens are counted. */
  readonly address: string
}

/**
 * Lets a session use a token: the use is pending until the session registers an account or expires.
 *
 * @throws MatrixError `M_UNAUTHORIZED` where the token is not valid, `M_LIMIT_EXCEEDED` after too many wrong tokens
 */
export async function useRegistrationToken(
  rt: Pick<Runtime, 'db' | 'clock' | 'limits'>,
  token: string,
  { session, createdTs, address }: TokenUser,
): Promise<void> {
  rt.limits.check('registrationTokens', address)
  const isUsed = await rt.db.write(async (tx) => {
    const found = await find(rt, tx, token)
    if (!found || !isUsable(found, rt.clock.now())) return false
    await putTokenUse(tx, { session, token, createdTs })
    return true
  })
  if (isUsed) return
  rt.limits.take('registrationTokens', address)
  throw new MatrixError('M_UNAUTHORIZED', 'invalid registration token')
}
