// SPDX-License-Identifier: Apache-2.0
import type { PasswordPolicy } from '@myelin/kit/settings'
import { MatrixError } from '@myelin/matrix/errors'
import { hash, verify } from '@node-rs/argon2'
import type { Runtime } from '../runtime/runtime.ts'

/** The cost of a hash: 19 MiB and two passes of Argon2id, the minimum that OWASP recommends. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
const SALT_BYTES = 16
const MAX_CHARACTERS = 512

/** Returns a password's hash with a random salt; computed in the library's threads. */
export async function hashPassword(rt: Pick<Runtime, 'random'>, password: string): Promise<string> {
  return hash(password, { ...COST, salt: rt.random.bytes(SALT_BYTES) })
}

/** Returns whether a password matches a hash. Without a hash it returns false after the same work. */
export async function isPasswordOf(
  rt: Pick<Runtime, 'random'>,
  passwordHash: string | null | undefined,
  password: string,
): Promise<boolean> {
  if (password.length > MAX_CHARACTERS) return false
  if (typeof passwordHash === 'string') return verify(passwordHash, password)
  await hashPassword(rt, password)
  return false
}

/**
 * Refuses a new password that is too long, or, with `M_WEAK_PASSWORD`, that violates the policy.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3accountpassword
 */
export function checkNewPassword(policy: PasswordPolicy, password: string): void {
  checkPasswordLength(password)
  if (!policy.isEnabled) return
  const lacks = [
    [password.length < policy.minimumLength, `at least ${policy.minimumLength} characters`],
    [policy.requiresDigit && !/\d/.test(password), 'a digit'],
    [policy.requiresSymbol && !/[^a-zA-Z0-9]/.test(password), 'a symbol'],
    [policy.requiresLowercase && !/[a-z]/.test(password), 'a lower-case letter'],
    [policy.requiresUppercase && !/[A-Z]/.test(password), 'an upper-case letter'],
  ] as const
  const missing = lacks.filter(([isLacking]) => isLacking).map(([, what]) => what)
  if (missing.length > 0) throw new MatrixError('M_WEAK_PASSWORD', `the password needs ${missing.join(', ')}`)
}

/** Refuses a password that is too long. The policy does not bind admins, as in Synapse. */
export function checkPasswordLength(password: string): void {
  if (password.length <= MAX_CHARACTERS) return
  throw new MatrixError('M_INVALID_PARAM', `a password must have at most ${MAX_CHARACTERS} characters`)
}
