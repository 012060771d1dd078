// SPDX-License-Identifier: Apache-2.0
import { serverOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import type { Json } from '@myelin/matrix/json'
import { changedFieldsOf, profileChangesBetween, profilesOf } from '@myelin/storage/accounts/profile-changes'
import type { ChangedField } from '@myelin/storage/accounts/profile-changes'
import { userNids } from '@myelin/storage/engine/names'
import type { Read } from '@myelin/storage/engine/database'
import { localUsersSharingRooms, usersSharingRoomsAmong } from '@myelin/storage/rooms/members/shared-rooms'
import { changedRooms } from '@myelin/storage/sync/changed-rooms'
import type { ProfileCursor } from '../room-state/page-token.ts'
import { deviceListChanges } from './device-lists.ts'
import type { DeviceLists } from './device-lists.ts'
import type { Slice } from './sync-request.ts'

/** The fields of a profile that changed; null for a user who shares no room with the viewer any more. */
export type ProfileUpdate = { readonly updated: Map<string, Json>; readonly removed: Set<string> } | null

/** The profiles that an answer sends by user, and the cursor of those that are left for the next one. */
export interface ProfileUpdates {
  readonly updates: ReadonlyMap<UserId, ProfileUpdate>
  readonly next: ProfileCursor | undefined
}

/** A slice of the log, and what its answer says of device lists. */
export interface ProfileScope {
  readonly db: Read
  readonly slice: Slice
  readonly after: number
  readonly upTo: number
  deviceLists(): Promise<DeviceLists>
}

/** The profiles that a client is to get. */
export interface ProfileQuestion {
  /** The users whose profiles this answer needs: they are sent whole. */
  readonly shown: Iterable<UserId>
  /** The first answer begins with all users who share a room, beside those shown. */
  readonly startsWithAll: boolean
  /** The fields that the client wants; all where it is undefined. */
  readonly fields: ReadonlySet<string> | undefined
  /** The most profiles that an answer has for the rooms in it, and the most that it has besides. */
  readonly limit: number
}

/** From so many characters of values on, an answer takes no further profile. */
const MAX_LENGTH = 1024 * 1024
/** The most users who are listed at once. */
const MAX_LISTED = 500
/** The most users whose profiles are read at once. */
const READ_AT_ONCE = 20

/**
 * Returns the updates of profiles in a slice, by user: those shown, those who came to share a room, the fields that changed,
 * and the users who share no room any more. Only users of this server who share a room with the viewer, and the viewer, have
 * updates.
 *
 * An answer sends a bounded number. Where that is too few, `next` is the token's cursor from which the next answer goes on.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4429
 */
export async function profileUpdates(scope: ProfileScope, question: ProfileQuestion): Promise<ProfileUpdates> {
  const { slice, upTo } = scope
  const us = serverOf(slice.user)
  const gone = (await scope.deviceLists()).left.filter((user) => serverOf(user) === us)
  const shown = new Page(scope.db, question)
  const isCut = await shown.addVisible(
    slice.user,
    [...new Set(question.shown)].filter((user) => serverOf(user) === us),
  )
  const left = gone.map((user) => [user, null] as const)
  // The client gets all users in the next answers, since those shown here are not known then.
  if (isCut) return { updates: new Map([...shown.updates, ...left]), next: { after: 0, upTo, user: 0 } }
  const { updates, next } = await readBatches(scope, question)
  return { updates: new Map([...updates, ...shown.updates, ...left]), next }
}

async function readBatches(scope: ProfileScope, question: ProfileQuestion): Promise<ProfileUpdates> {
  const { since } = scope.slice
  const page = new Page(scope.db, question)
  if (!since && !question.startsWithAll) return { updates: page.updates, next: undefined }
  for (let batch = since?.profiles ?? { after: scope.after, upTo: scope.upTo, user: 0 }; ; ) {
    const user = batch.after === 0 ? await addAll(scope, batch, page) : await addChanged(scope, batch, page)
    if (user !== undefined) return { updates: page.updates, next: { ...batch, user } }
    if (batch.upTo >= scope.upTo) return { updates: page.updates, next: undefined }
    batch = { after: batch.upTo, upTo: scope.upTo, user: 0 }
  }
}

/** Adds all users who share a room, whole; returns the number of the last one where some are left. */
async function addAll({ db, slice }: ProfileScope, batch: ProfileCursor, page: Page): Promise<number | undefined> {
  // A client that begins anew may know fields that were deleted since.
  const addAnew = async (users: readonly UserId[]): Promise<void> => {
    await page.addWhole(users)
    if (!slice.since) return
    await page.addFields((await changedFieldsOf(db, users)).filter(({ field }) => page.fields?.has(field) ?? true))
  }
  for (let { user } = batch; ; ) {
    const users = await localUsersSharingRooms(db, slice.user, { after: user, limit: MAX_LISTED })
    // Without a room the viewer is not among them.
    if (user === 0 && users.length === 0) await addAnew([slice.user])
    for (let start = 0; start < users.length; ) {
      if (page.isFull) return user
      const part = users.slice(start, start + page.step)
      start += part.length
      await addAnew(part.map(({ userId }) => userId))
      user = part.at(-1)?.nid ?? user
    }
    if (users.length < MAX_LISTED) return undefined
  }
}

/** Adds what changed in a stretch of the log, users in the order of their numbers; returns the last one where some are left. */
async function addChanged(scope: ProfileScope, batch: ProfileCursor, page: Page): Promise<number | undefined> {
  const { db, slice } = scope
  const changes = await profileChangesBetween(db, slice.user, batch.after, batch.upTo)
  const selected = changes.filter(({ field }) => page.fields?.has(field) ?? true)
  const us = serverOf(slice.user)
  const met = new Set((await changedBetween(scope, batch)).changed.filter((user) => serverOf(user) === us))
  const candidates = [...new Set([...met, ...selected.map(({ userId }) => userId)])]
  const nids = await userNids(db, candidates)
  const users = candidates
    .map((userId) => ({ userId, nid: nids.get(userId) ?? 0 }))
    .filter(({ nid }) => batch.user === 0 || nid > batch.user)
    .toSorted((a, b) => a.nid - b.nid)
  for (let start = 0; start < users.length; ) {
    if (page.isFull) return users[start - 1]?.nid ?? batch.user
    const part = users.slice(start, start + page.step).map(({ userId }) => userId)
    start += part.length
    const visible = await visibleTo(db, slice.user, part)
    await page.addWhole(part.filter((user) => met.has(user) && visible.has(user)))
    await page.addFields(selected.filter(({ userId }) => part.includes(userId) && visible.has(userId)))
  }
  return undefined
}

/** Returns the users who came to share a room, and others, in a stretch of the log. */
async function changedBetween(scope: ProfileScope, { after, upTo }: ProfileCursor): Promise<DeviceLists> {
  const { db, slice } = scope
  if (after === scope.after && upTo === scope.upTo) return scope.deviceLists()
  const { user, memberships } = slice
  return deviceListChanges(db, { user, after, upTo, memberships, moved: await changedRooms(db, user, after) })
}

async function visibleTo(db: Read, viewer: UserId, users: readonly UserId[]): Promise<ReadonlySet<UserId>> {
  return new Set([viewer, ...(await usersSharingRoomsAmong(db, viewer, users))])
}

/** The profiles of one answer. */
class Page {
  readonly fields: ReadonlySet<string> | undefined
  readonly updates = new Map<UserId, NonNullable<ProfileUpdate>>()
  readonly #db: Read
  readonly #limit: number
  #length = 0

  constructor(db: Read, { fields, limit }: ProfileQuestion) {
    this.#db = db
    this.fields = fields
    this.#limit = limit
  }

  /** The number of users to add at once. */
  get step(): number {
    return Math.min(READ_AT_ONCE, Math.max(1, this.#limit - this.updates.size))
  }

  get isFull(): boolean {
    return this.updates.size >= this.#limit || this.#length >= MAX_LENGTH
  }

  /** Adds those of the users whom the viewer may see; returns whether some are left out. */
  async addVisible(viewer: UserId, users: readonly UserId[]): Promise<boolean> {
    for (let start = 0; start < users.length; ) {
      if (this.isFull) return true
      const part = users.slice(start, start + this.step)
      start += part.length
      const visible = await visibleTo(this.#db, viewer, part)
      await this.addWhole(part.filter((user) => visible.has(user)))
    }
    return false
  }

  /** Adds the profiles of users; those without the wanted fields have no entry. */
  async addWhole(users: readonly UserId[]): Promise<void> {
    const profiles = await profilesOf(this.#db, users, this.fields)
    for (const user of users) {
      const profile = profiles.get(user)
      if (!profile) continue
      const update = this.#updateOf(user)
      for (const [field, value] of profile) this.#set(update, field, value)
    }
  }

  /** Adds single fields of users, as they are now. */
  async addFields(changes: readonly ChangedField[]): Promise<void> {
    const profiles = await profilesOf(this.#db, [...new Set(changes.map(({ userId }) => userId))], this.fields)
    for (const { userId, field } of changes) {
      const update = this.#updateOf(userId)
      const value = profiles.get(userId)?.get(field)
      if (value === undefined) update.removed.add(field)
      else this.#set(update, field, value)
    }
  }

  #updateOf(user: UserId): NonNullable<ProfileUpdate> {
    const update = this.updates.get(user) ?? { updated: new Map<string, Json>(), removed: new Set<string>() }
    this.updates.set(user, update)
    return update
  }

  #set({ updated }: NonNullable<ProfileUpdate>, field: string, value: Json): void {
    if (!updated.has(field)) this.#length += JSON.stringify(value).length
    updated.set(field, value)
  }
}
