// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { serverOf } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Tx } from '@myelin/storage/engine/database'
import { pdusByNid } from '@myelin/storage/rooms/events/events'
import { profileOf } from '@myelin/storage/accounts/profiles'
import { memberNews, moveDirectory, putUserWords } from '@myelin/storage/accounts/user-words'
import type { Runtime } from '../runtime/runtime.ts'
import { joinsOf } from './joins-of.ts'
import { wordsOfUser } from './words.ts'

const PAGE = 100
const MAX_PAGES = 40
/** The most rooms whose names of a user of another server are indexed. */
const MAX_JOINS = 5

/**
 * Updates the user directory with the membership changes since the last call.
 *
 * It reads the log: joins and name changes are member events. A search processes a bounded part of the backlog.
 */
export async function indexMembers(rt: Pick<Runtime, 'db' | 'serverName'>): Promise<void> {
  for (let page = 0; page < MAX_PAGES; page++) {
    if ((await memberNews(rt.db.read, 1)).length === 0) return
    await rt.db.write(async (tx) => {
      const news = await memberNews(tx, PAGE)
      for (const userId of new Set(news.map((each) => each.userId))) {
        await putUserWords(tx, userId, await indexedWords(tx, rt, userId))
      }
      const reached = news.at(-1)?.eventNid
      if (reached !== undefined) await moveDirectory(tx, reached)
    })
  }
}

/**
 * Returns the words that a user is found by: of a user of this server those of the profile, of another user those of the
 * newest joins. Rooms may know a user by different names; the search shows the one that the searcher may see. Names in
 * invites do not count, as the inviter writes them.
 */
async function indexedWords(
  tx: Tx,
  { serverName }: Pick<Runtime, 'serverName'>,
  userId: UserId,
): Promise<ReadonlySet<string>> {
  if (serverOf(userId) === serverName) {
    return wordsOfUser(userId, stringMember(await profileOf(tx, userId), 'displayname'))
  }
  const joins = (await joinsOf(tx, userId)).slice(0, MAX_JOINS).map(({ eventNid }) => eventNid)
  const names = [...(await pdusByNid(tx, joins)).values()].map(({ content }) => stringMember(content, 'displayname'))
  return new Set([undefined, ...names].flatMap((name) => [...wordsOfUser(userId, name)]))
}
