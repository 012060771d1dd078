// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Read, Tx } from '../engine/database.ts'

/** A session of user-interactive authentication for an operation. */
export interface UiaSession {
  readonly session: string
  readonly operation: string
  /** Empty where the operation makes the account. */
  readonly userId: UserId | ''
  /** The stages that are done, in order. */
  readonly completed: readonly string[]
  /** The parameters the operation was asked for with; no secrets. */
  readonly parameters: JsonObject
  readonly createdTs: number
}

/** Returns a session that was begun after `sinceTs`. */
export async function uiaSession(db: Read, session: string, sinceTs: number): Promise<UiaSession | undefined> {
  const row = await db
    .selectFrom('uia_sessions')
    .selectAll()
    .where('session', '=', session)
    .where('created_ts', '>', sinceTs)
    .executeTakeFirst()
  return (
    row && {
      session: row.session,
      operation: row.operation,
      userId: row.user_id as UserId | '',
      completed: JSON.parse(row.completed) as string[],
      parameters: JSON.parse(row.body) as JsonObject,
      createdTs: row.created_ts,
    }
  )
}

/** Stores the completed stages of a session. */
export async function putUiaSession(tx: Tx, session: UiaSession): Promise<void> {
  const progress = { completed: JSON.stringify(session.completed), body: JSON.stringify(session.parameters) }
  await tx
    .insertInto('uia_sessions')
    .values({
      session: session.session,
      operation: session.operation,
      user_id: session.userId,
      created_ts: session.createdTs,
      ...progress,
    })
    .onConflict((at) => at.column('session').doUpdateSet(progress))
    .execute()
}

/** Ends a session. */
export async function deleteUiaSession(tx: Tx, session: string): Promise<void> {
  await tx.deleteFrom('uia_sessions').where('session', '=', session).execute()
}

/** Deletes the sessions that began at or before a time (ms). */
export async function deleteUiaSessionsBefore(tx: Tx, ts: number): Promise<void> {
  await tx.deleteFrom('uia_sessions').where('created_ts', '<=', ts).execute()
}
