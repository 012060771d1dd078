// SPDX-License-Identifier: Apache-2.0
import { serverOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import type { Json } from '@myelin/matrix/json'
import { profileChangesBetween, profilesOf } from '@myelin/storage/accounts/profile-changes'
import type { ChangedField } from '@myelin/storage/accounts/profile-changes'
import type { Read } from '@myelin/storage/engine/database'
import { shareRoom, usersSharingRooms } from '@myelin/storage/rooms/members/shared-rooms'
import type { SyncScope } from './sync-scope.ts'

/** The fields of a profile that changed; null for a user who shares no room with the viewer any more. */
export type ProfileUpdate = { readonly updated: Map<string, Json>; readonly removed: Set<string> } | null

/** The profiles that a client is to get. */
export interface ProfileSelection {
  /** The users whose profiles the client may not have: they are sent whole. */
  readonly whole: Iterable<UserId>
  /** The fields that the client wants; all where it is undefined. */
  readonly fields: ReadonlySet<string> | undefined
}

/** From this many users on, all who share a room are read at once. */
const MANY = 50

/**
 * Returns the updates of profiles in a slice, by user: those of `selection.whole`, the fields that changed, and the users who share
 * no room any more. Only users of this server who share a room with the viewer, and the viewer, have updates.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4429
 */
export async function profileUpdates(
  scope: SyncScope,
  selection: ProfileSelection,
): Promise<Map<UserId, ProfileUpdate>> {
  const { db, slice, after, upTo } = scope
  const us = serverOf(slice.user)
  const isOurs = (user: UserId) => serverOf(user) === us
  const changes = slice.since ? await profileChangesBetween(db, slice.user, after, upTo) : []
  const selected = changes.filter(({ field }) => selection.fields?.has(field) ?? true)
  const whole = new Set([...selection.whole].filter(isOurs))
  const visible = await visibleTo(db, slice.user, new Set([...whole, ...selected.map(({ userId }) => userId)]))
  const updates = await changesOf(db, { whole, selected, visible }, selection.fields)
  const { left } = await scope.deviceLists()
  for (const user of left) if (isOurs(user)) updates.set(user, null)
  return updates
}

interface Candidates {
  readonly whole: ReadonlySet<UserId>
  readonly selected: readonly ChangedField[]
  readonly visible: ReadonlySet<UserId>
}

async function changesOf(
  db: Read,
  { whole, selected, visible }: Candidates,
  fields: ReadonlySet<string> | undefined,
): Promise<Map<UserId, ProfileUpdate>> {
  const profiles = await profilesOf(db, [...visible], fields)
  const updates = new Map<UserId, NonNullable<ProfileUpdate>>()
  for (const user of whole) {
    const profile = profiles.get(user)
    if (profile) updates.set(user, { updated: new Map(profile), removed: new Set() })
  }
  for (const { userId, field } of selected) {
    if (!visible.has(userId)) continue
    const update = updates.get(userId) ?? { updated: new Map(), removed: new Set() }
    updates.set(userId, update)
    const value = profiles.get(userId)?.get(field)
    if (value === undefined) update.removed.add(field)
    else update.updated.set(field, value)
  }
  return updates
}

async function visibleTo(db: Read, viewer: UserId, users: ReadonlySet<UserId>): Promise<ReadonlySet<UserId>> {
  if (users.size === 0) return users
  if (users.size > MANY) return users.intersection(await usersSharingRooms(db, viewer))
  const visible = new Set<UserId>()
  for (const user of users) if (user === viewer || (await shareRoom(db, viewer, user))) visible.add(user)
  return visible
}
