// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { Json } from '@myelin/matrix/json'
import { inChunks } from '../engine/database.ts'
import type { Read, Tx } from '../engine/database.ts'
import { prepared } from '../engine/prepared.ts'
import { trackersOf } from '../rooms/members/tracked-users.ts'
import type { Position } from '../schema/schema.ts'

/** A profile field that was set or deleted. */
export interface ChangedField {
  readonly userId: UserId
  readonly field: string
}

/** The deleted fields of a profile whose deletion is remembered, the last ones. */
const MAX_DELETED = 100

/** From so many fields on, all of a profile are read. */
const MAX_NAMED = 100

/** Records that a profile field was set or deleted, and wakes the users who share a room with its user. */
export async function noteProfileChange(tx: Tx, { userId, field }: ChangedField): Promise<void> {
  const row = { position: tx.takePosition() }
  await tx
    .insertInto('profile_changes')
    .values({ user_id: userId, field, ...row })
    .onConflict((at) => at.columns(['user_id', 'field']).doUpdateSet(row))
    .execute()
  await forgetDeleted(tx, userId)
  for (const other of await trackersOf(tx, userId)) tx.touch(other)
}

async function forgetDeleted(tx: Tx, userId: UserId): Promise<void> {
  const fields = tx.selectFrom('profiles').select('field').where('user_id', '=', userId)
  const deleted = await tx
    .selectFrom('profile_changes')
    .select('field')
    .where('user_id', '=', userId)
    .where('field', 'not in', fields)
    .orderBy('position', 'desc')
    .execute()
  const old = deleted.slice(MAX_DELETED).map((row) => row.field)
  if (old.length === 0) return
  await tx.deleteFrom('profile_changes').where('user_id', '=', userId).where('field', 'in', old).execute()
}

/** Returns the profile fields, of all users, that were set or deleted after one position and up to another. */
export async function profileChangesBetween(
  db: Read,
  viewer: UserId,
  after: Position,
  upTo: Position,
): Promise<ChangedField[]> {
  // A change wakes those who may see it.
  if (!db.topicPositions.changedSince(viewer, after)) return []
  const rows = await changedBetween(db, after, upTo)
  return rows.map((row) => ({ userId: row.user_id, field: row.field }))
}

const changedBetween = prepared((db, after: Position, upTo: Position) =>
  db
    .selectFrom('profile_changes')
    .select(['user_id', 'field'])
    .where('position', '>', after)
    .where('position', '<=', upTo)
    .orderBy('position'),
)

/** Returns the profile fields of users that were ever set, and those whose deletion is remembered. */
export async function changedFieldsOf(db: Read, users: readonly UserId[]): Promise<ChangedField[]> {
  const rows = await inChunks(users, (chunk) =>
    db.selectFrom('profile_changes').select(['user_id', 'field']).where('user_id', 'in', chunk).execute(),
  )
  return rows.map((row) => ({ userId: row.user_id, field: row.field }))
}

/** Returns the profiles of users, by field; with `fields`, only those. Users without any are left out. */
export async function profilesOf(
  db: Read,
  users: readonly UserId[],
  fields?: ReadonlySet<string>,
): Promise<Map<UserId, Map<string, Json>>> {
  const rows = await inChunks(users, (chunk) =>
    db
      .selectFrom('profiles')
      .selectAll()
      .where('user_id', 'in', chunk)
      .$if(fields !== undefined && fields.size <= MAX_NAMED, (rows) => rows.where('field', 'in', [...(fields ?? [])]))
      .orderBy('user_id')
      .orderBy('field')
      .execute(),
  )
  const profiles = new Map<UserId, Map<string, Json>>()
  for (const { user_id: user, field, value } of rows) {
    if (fields && !fields.has(field)) continue
    const profile = profiles.get(user) ?? new Map<string, Json>()
    profiles.set(user, profile.set(field, JSON.parse(value) as Json))
  }
  return profiles
}
