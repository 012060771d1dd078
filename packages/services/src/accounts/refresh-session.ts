// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { Read } from '@myelin/storage/engine/database'
import { putSuccessor, refreshTokenOf, spendPredecessor } from '@myelin/storage/accounts/sessions'
import type { RefreshToken } from '@myelin/storage/accounts/sessions'
import type { Runtime } from '../runtime/runtime.ts'
import { issueTokens } from './start-session.ts'
import type { Tokens } from './start-session.ts'

type Needs = Pick<Runtime, 'db' | 'clock' | 'random' | 'config'>

/**
 * Exchanges a refresh token for a new pair of tokens.
 *
 * The old pair stays valid until the new one is first used, so that a client that lost the answer can retry; the pair
 * it never received is revoked then.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#refreshing-access-tokens
 */
export async function refreshSession(rt: Needs, refreshToken: string): Promise<Tokens> {
  // A guessed token must not occupy the writer queue.
  await usableToken(rt, rt.db.read, refreshToken)
  return rt.db.write(async (tx) => {
    const held = await usableToken(rt, tx, refreshToken)
    if (held.predecessorId !== null) await spendPredecessor(tx, held.predecessorId)
    if (held.nextId !== null) await spendPredecessor(tx, held.nextId)
    const { tokens, refreshId } = await issueTokens(rt, tx, { ...held, canRefresh: true })
    if (refreshId !== null) await putSuccessor(tx, held.refreshId, refreshId)
    return tokens
  })
}

async function usableToken(rt: Needs, db: Read, refreshToken: string): Promise<RefreshToken> {
  const held = await refreshTokenOf(db, refreshToken)
  const now = rt.clock.now()
  const isOver = (ts: number | null) => ts !== null && ts <= now
  if (!held || isOver(held.expiresTs) || isOver(held.sessionExpiresTs)) {
    throw new MatrixError('M_UNKNOWN_TOKEN', 'unknown refresh token', { extra: { soft_logout: true } })
  }
  if (held.isLocked) {
    throw new MatrixError('M_USER_LOCKED', 'this account has been locked', { extra: { soft_logout: true } })
  }
  return held
}
