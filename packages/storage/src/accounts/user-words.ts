// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { sql } from 'kysely'
import type { Read, Tx } from '../engine/database.ts'
import { internUser, userNid, withUserNames } from '../engine/names.ts'
import { sharesRoomWith } from '../rooms/members/shared-rooms.ts'
import type { Nid, Tables } from '../schema/schema.ts'

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

/** Words that are looked at in one statement: each takes a look at the rooms that two users share. */
const PAGE = 50

/** Returns members of rooms, other than the searcher, with a word of this prefix. */
export async function usersByWord(db: Read, search: UserSearch): Promise<UserId[]> {
  const me = (await userNid(db, search.searcher)) ?? -1
  const found = new Set<Nid>()
  let after: Word = { word: Buffer.from(search.prefix), user_nid: -1 }
  // No byte of UTF-8 is as great. Bytes compare alike on both engines; texts do not.
  const end = Buffer.concat([after.word, Buffer.from([0xff])])
  for (;;) {
    const rows = await wordsAfter(db, me, after, end)
    for (const { user_nid: user, is_shared: isShared } of rows) {
      if (user !== me && Boolean(isShared) === search.sharesRoom && found.size < search.limit) found.add(user)
    }
    const last = rows.at(-1)
    if (!last || rows.length < PAGE || found.size >= search.limit) break
    after = last
  }
  const users = [...found].toSorted((a, b) => a - b).map((user) => ({ user_nid: user }))
  return withUserNames(db, users, (_, userId) => userId)
}

type Word = Pick<Tables['user_words'], 'word' | 'user_nid'>

function wordsAfter(db: Read, me: Nid, after: Word, end: Uint8Array) {
  return db
    .selectFrom((from) =>
      from
        .selectFrom('user_words')
        .select(['word', 'user_nid'])
        .where(sql<boolean>`(word, user_nid) > (${after.word}, ${after.user_nid})`)
        .where('word', '<', end)
        .orderBy('word')
        .orderBy('user_nid')
        .limit(PAGE)
        .as('user_words'),
    )
    .select(['word', 'user_nid', sql<boolean | number>`${sharesRoomWith(me, 'user_words.user_nid')}`.as('is_shared')])
    .orderBy('word')
    .orderBy('user_nid')
    .execute()
}
