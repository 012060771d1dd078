// SPDX-License-Identifier: Apache-2.0
import type { Read, Tx } from '../engine/database.ts'
import type { Position } from '../schema/schema.ts'

/** The stretch of the log that the newest transaction of an application service is about. */
export interface AppServicePlace {
  /** The number of the transaction. */
  readonly transaction: number
  readonly after: Position
  readonly upTo: Position
  /** The service has taken it. */
  readonly isTaken: boolean
}

const nameOf = (id: string): string => `app_service ${id}`

/** Returns the place of an application service in the log; undefined before its first. */
export async function appServicePlace(db: Read, id: string): Promise<AppServicePlace | undefined> {
  const row = await db.selectFrom('settings').select('value').where('name', '=', nameOf(id)).executeTakeFirst()
  return row && (JSON.parse(row.value) as AppServicePlace)
}

/** Stores the place of an application service in the log. */
export async function putAppServicePlace(tx: Tx, id: string, place: AppServicePlace): Promise<void> {
  const row = { name: nameOf(id), value: JSON.stringify(place) }
  await tx
    .insertInto('settings')
    .values(row)
    .onConflict((at) => at.column('name').doUpdateSet({ value: row.value }))
    .execute()
}
