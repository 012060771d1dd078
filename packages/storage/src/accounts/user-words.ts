// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { Read, Tx } from '../engine/database.ts'
import { internUser, userNid, withUserNames } from '../engine/names.ts'
import { sharesRoomWith } from '../rooms/members/shared-rooms.ts'
import type { Nid } from '../schema/schema.ts'

const READER = 'user-directory'

/** A member event that came after the directory was last brought up to date. */
export interface MemberNews {
  readonly userId: UserId
  readonly eventNid: Nid
}

/** Returns the memberships that changed, or were written anew, since the directory was last brought up to date; oldest first. */
export async function memberNews(db: Read, limit: number): Promise<MemberNews[]> {
  const cursor = await db.selectFrom('readers').select('position').where('name', '=', READER).executeTakeFirst()
  const rows = await db
    .selectFrom('members')
    .select(['user_nid', 'event_nid'])
    .where('event_nid', '>', cursor?.position ?? 0)
    .orderBy('event_nid')
    .limit(limit)
    .execute()
  return withUserNames(db, rows, (row, userId) => ({ userId, eventNid: row.event_nid }))
}

/** Stores the last member event that the user directory includes. */
export async function moveDirectory(tx: Tx, eventNid: Nid): Promise<void> {
  await tx
    .insertInto('readers')
    .values({ name: READER, position: eventNid, holder: null, until: null })
    .onConflict((at) => at.column('name').doUpdateSet({ position: eventNid }))
    .execute()
}

/** Puts the words by which a user is found in place of those before. */
export async function putUserWords(tx: Tx, userId: UserId, words: ReadonlySet<string>): Promise<void> {
  const user = await internUser(tx, userId)
  await tx.deleteFrom('user_words').where('user_nid', '=', user).execute()
  for (const word of words)
    await tx
      .insertInto('user_words')
      .values({ word: Buffer.from(word), user_nid: user })
      .execute()
}

/** A search for users by a prefix of a word, among those who share a room with the searcher or among the others. */
export interface UserSearch {
  readonly searcher: UserId
  readonly prefix: string
  readonly sharesRoom: boolean
  readonly limit: number
}

/** Members of rooms, other than the searcher, one of whose words begins so. */
export async function usersByWord(db: Read, search: UserSearch): Promise<UserId[]> {
  const me = (await userNid(db, search.searcher)) ?? -1
  const low = Buffer.from(search.prefix)
  // No byte of UTF-8 is as great. Bytes compare alike on both engines; texts do not.
  const high = Buffer.concat([low, Buffer.from([0xff])])
  const rows = await db
    .selectFrom('user_words')
    .select('user_words.user_nid')
    .distinct()
    .where('word', '>=', low)
    .where('word', '<', high)
    .where('user_words.user_nid', '<>', me)
    .where((row) => {
      const shared = sharesRoomWith(me, 'user_words.user_nid')
      return search.sharesRoom ? shared : row.not(shared)
    })
    .orderBy('user_words.user_nid')
    .limit(search.limit)
    .execute()
  return withUserNames(db, rows, (_, userId) => userId)
}
