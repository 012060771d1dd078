// SPDX-License-Identifier: Apache-2.0
import type { RegistrationToken, TokenLimits } from '@myelin/services/accounts/registration-tokens'
import { Type } from 'typebox'
import { ERROR_CODE } from '../../validation.ts'

/** The path of all registration tokens. */
export const TOKENS = '/_synapse/admin/v1/registration_tokens'
/** The path of a registration token. */
export const TOKEN = `${TOKENS}/:token`
/** The parameters of {@link TOKEN}. */
export const TokenParams = Type.Object({ token: Type.String() })

const INVALID = { [ERROR_CODE]: 'M_INVALID_PARAM' }
const nullableInteger = { ...INVALID, type: ['integer', 'null'], minimum: 0, maximum: Number.MAX_SAFE_INTEGER }
const NullableInteger = Type.Unsafe<number | null>(nullableInteger)

/** The token in a body. */
export const TokenText = Type.Unsafe<string>({ ...INVALID, type: 'string' })
/** The length of a token to generate. */
export const LengthSchema = Type.Unsafe<number>({ ...INVALID, type: 'integer', minimum: 1, maximum: 64 })

/** The limits of a token in a body. `null` means no limit; an absent member leaves a token as it is. */
export const limitMembers = {
  uses_allowed: Type.Optional(NullableInteger),
  expiry_time: Type.Optional(NullableInteger),
}

/** Returns the limits that a body has, without those it does not have. */
export function limitsOf(body: { uses_allowed?: number | null; expiry_time?: number | null }): Partial<TokenLimits> {
  const { uses_allowed: uses, expiry_time: expiry } = body
  return {
    ...(uses === undefined ? {} : { usesAllowed: uses ?? undefined }),
    ...(expiry === undefined ? {} : { expiresTs: expiry ?? undefined }),
  }
}

/** A registration token in replies. */
export const TokenReply = Type.Object({
  token: Type.String(),
  uses_allowed: NullableInteger,
  pending: Type.Integer(),
  completed: Type.Integer(),
  expiry_time: NullableInteger,
})

/** Returns the {@link TokenReply} of a token. */
export function tokenReply({ token, usesAllowed, pending, completed, expiresTs }: RegistrationToken) {
  return { token, uses_allowed: usesAllowed ?? null, pending, completed, expiry_time: expiresTs ?? null }
}
