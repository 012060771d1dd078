// SPDX-License-Identifier: Apache-2.0
import { ERROR_STATUS, MatrixError } from '@myelin/matrix/errors'
import type { ErrorCode } from '@myelin/matrix/errors'
import { member, stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { RemoteError } from '@myelin/remote/remote-error'
import type { Tx } from '@myelin/storage/engine/database'
import { SignatureNeed, writeMeeting } from '../resolution/unit-needs.ts'
import type { UnitNeed } from '../resolution/unit-needs.ts'
import { resolveCommitted } from '../resolution/write-resolved.ts'
import { askToSign } from './policy-server.ts'
import type { PolicyServerNeeds } from './policy-server.ts'

/**
 * The input of a write transaction that builds events, with the events that a policy server has signed for it so far.
 */
export type UnitMaker<Maker> = Maker & { readonly recommended?: readonly Pdu[] }

/**
 * Runs a unit of work that builds local events, and returns its outcome once it is on disk.
 *
 * The unit returns what it lacks: a state resolution, or a policy server's signature. Then it is rolled back, that
 * need is met outside of the transaction, and the unit runs again. A policy server's refusal is thrown as a
 * `MatrixError` with that server's text.
 */
export async function writeEvents<Maker extends PolicyServerNeeds, T>(
  rt: Maker,
  work: (tx: Tx, maker: UnitMaker<Maker>) => Promise<T | UnitNeed>,
): Promise<Exclude<T, UnitNeed>> {
  const recommended: Pdu[] = []
  return writeMeeting<T, UnitNeed>(
    rt.db,
    (tx) => work(tx, recommended.length === 0 ? rt : { ...rt, recommended }),
    async (need) => {
      if (need instanceof SignatureNeed) recommended.push(await signed(rt, need))
      else await resolveCommitted(rt.db, need)
    },
  )
}

async function signed(rt: PolicyServerNeeds, { pdu, version, policy }: SignatureNeed): Promise<Pdu> {
  try {
    return await askToSign(rt, pdu, version, policy)
  } catch (cause) {
    throw cause instanceof RemoteError ? refusalOf(cause) : cause
  }
}

/** Returns the policy server's refusal, never with a code that would make a client log out. */
function refusalOf(cause: RemoteError): MatrixError {
  const { status, errcode, body } = cause
  const isSaid = status !== undefined && status >= 400 && status < 500 && status !== 401
  const code =
    isSaid && errcode !== undefined && Object.hasOwn(ERROR_STATUS, errcode) ? (errcode as ErrorCode) : 'M_FORBIDDEN'
  const text = stringMember(body, 'error') ?? 'the policy server of the room did not recommend this event'
  const waitMs = member(body ?? {}, 'retry_after_ms')
  const extra = typeof waitMs === 'number' ? { retry_after_ms: waitMs } : {}
  return new MatrixError(code, text, { cause, extra, ...(isSaid ? { status } : {}) })
}
