// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { Read, Tx } from '../engine/database.ts'

/** Returns the profile of a user, by field; an object without a prototype, because clients choose the names of fields. */
export async function profileOf(db: Read, userId: UserId): Promise<JsonObject> {
  const rows = await db
    .selectFrom('profiles')
    .select(['field', 'value'])
    .where('user_id', '=', userId)
    .orderBy('field')
    .execute()
  const profile: Record<string, Json> = Object.create(null) as Record<string, Json>
  for (const { field, value } of rows) profile[field] = JSON.parse(value) as Json
  return profile
}

/** Sets one field of a profile. */
export async function putProfileField(tx: Tx, userId: UserId, field: string, value: Json): Promise<void> {
  const text = JSON.stringify(value)
  await tx
    .insertInto('profiles')
    .values({ user_id: userId, field, value: text })
    .onConflict((at) => at.columns(['user_id', 'field']).doUpdateSet({ value: text }))
    .execute()
}

/** Deletes one field of a profile, if it exists. */
export async function deleteProfileField(tx: Tx, userId: UserId, field: string): Promise<void> {
  await tx.deleteFrom('profiles').where('user_id', '=', userId).where('field', '=', field).execute()
}
