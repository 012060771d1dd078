// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto'
import type { UserId } from '@myelin/matrix/ids'
import type { Read, Tx } from '../engine/database.ts'
import { insertRow, prepared } from '../engine/prepared.ts'
import type { Bytes } from '../schema/schema.ts'

/** The client's own name for a request: sending it twice must not do it twice. `endpoint` holds method and path. */
export interface TransactionKey {
  /** Empty where the requester has no account. */
  readonly userId: UserId | ''
  readonly deviceId: string
  readonly endpoint: string
  readonly txnId: string
}

/** Returns the stored answer to the same request. */
export async function earlierAnswer(db: Read, key: TransactionKey): Promise<string | undefined> {
  const [row] = await answerTo(db, requestHash(key))
  return row?.answer
}

/** Stores the answer to a request, in the write transaction of its work. */
export async function rememberAnswer(tx: Tx, key: TransactionKey, answer: string, now: number): Promise<void> {
  await insertRow(tx, 'transactions', { request: requestHash(key), answer, created_ts: now })
}

/** Deletes answers from before a time (ms). */
export async function forgetAnswers(tx: Tx, before: number): Promise<void> {
  await tx.deleteFrom('transactions').where('created_ts', '<', before).execute()
}

function requestHash({ userId, deviceId, endpoint, txnId }: TransactionKey): Bytes {
  return hash('sha256', JSON.stringify([userId, deviceId, endpoint, txnId]), 'buffer').subarray(0, 16)
}

const answerTo = prepared((db, request: Bytes) =>
  db.selectFrom('transactions').select('answer').where('request', '=', request),
)
