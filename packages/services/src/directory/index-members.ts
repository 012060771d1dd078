// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { serverOf } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Tx } from '@myelin/storage/engine/database'
import { pdusByNid } from '@myelin/storage/rooms/events/events'
import { profileOf } from '@myelin/storage/accounts/profiles'
import { memberNews, moveDirectory, putUserWords } from '@myelin/storage/accounts/user-words'
import type { Runtime } from '../runtime/runtime.ts'
import { wordsOfUser } from './words.ts'

const PAGE = 100
const MAX_PAGES = 40

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
      const last = new Map(news.map(({ userId, eventNid }) => [userId, eventNid]))
      for (const [userId, eventNid] of last) {
        await putUserWords(tx, userId, wordsOfUser(userId, await displayNameOf(tx, rt, userId, eventNid)))
      }
      const reached = news.at(-1)?.eventNid
      if (reached !== undefined) await moveDirectory(tx, reached)
    })
  }
}

/** Local users are found by their profile, not by the name they have in a private room. */
async function displayNameOf(
  tx: Tx,
  { serverName }: Pick<Runtime, 'serverName'>,
  userId: UserId,
  eventNid: number,
): Promise<string | undefined> {
  if (serverOf(userId) === serverName) return stringMember(await profileOf(tx, userId), 'displayname')
  const event = (await pdusByNid(tx, [eventNid])).get(eventNid)
  return event && stringMember(event.content, 'displayname')
}
