// SPDX-License-Identifier: Apache-2.0
import { serverOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import { pdusByNid } from '@myelin/storage/rooms/events/events'
import { accountOf } from '@myelin/storage/accounts/accounts'
import { profileOf } from '@myelin/storage/accounts/profiles'
import { usersByWord } from '@myelin/storage/accounts/user-words'
import type { Runtime } from '../runtime/runtime.ts'
import { indexMembers } from './index-members.ts'
import { VisibleRooms } from './visible-rooms.ts'
import { searchedWords, wordsOfUser } from './words.ts'

/** A user in the directory, in the wire format. */
export interface FoundUser {
  readonly user_id: UserId
  readonly display_name?: string
  readonly avatar_url?: string
}

const DEFAULT_LIMIT = 10
const MAX_LIMIT = 50
// The number of candidates without a common room with the searcher.
const MAX_STRANGERS = 100

/**
 * Returns users whose name or ID has words with the searched prefixes: those who share a room with the searcher first,
 * then those in a public or world readable room.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3user_directorysearch
 */
export async function searchUsers(
  rt: Pick<Runtime, 'db' | 'limits' | 'serverName' | 'config'>,
  searcher: UserId,
  { term, limit = DEFAULT_LIMIT }: { readonly term: string; readonly limit: number | undefined },
): Promise<{ readonly results: readonly FoundUser[]; readonly limited: boolean }> {
  const settings = rt.config.directory
  if (!settings.listsUsers) return { results: [], limited: false }
  rt.limits.take('userDirectory', searcher)
  const words = searchedWords(term).toSorted((a, b) => b.length - a.length)
  const [prefix] = words
  const most = Math.min(limit, MAX_LIMIT)
  if (prefix === undefined || most === 0) return { results: [], limited: false }
  await indexMembers(rt)
  const db = rt.db.read
  const local = settings.prefersLocalUsers ? rt.serverName : undefined
  const results: FoundUser[] = []
  // With several words, the matches of the longest are filtered by the others.
  const looked = words.length === 1 ? most + 1 : MAX_STRANGERS
  const sharing = await usersByWord(db, { searcher, prefix, sharesRoom: true, limit: looked })
  const others =
    sharing.length > most ? [] : await usersByWord(db, { searcher, prefix, sharesRoom: false, limit: MAX_STRANGERS })
  const rooms = new VisibleRooms(db, searcher)
  for (const [userId, isSharing] of [
    ...sharing.map((id) => [id, true] as const),
    ...others.map((id) => [id, false] as const),
  ]) {
    const isLocal = serverOf(userId) === rt.serverName
    if (!isLocal && settings.excludesRemoteUsers) continue
    if (isLocal && !settings.showsLockedUsers && (await accountOf(db, userId))?.isLocked) continue
    const profile = isLocal ? await profileOf(db, userId) : await nameAmong(db, rooms, userId)
    const found = shown(userId, profile, words)
    // The others were found in rooms that the searcher may see.
    if (!found || !(isSharing || !isLocal || settings.findsAllUsers || (await rooms.newestJoin(userId)))) continue
    if (results.length === most) return { results: ranked(results, term, local), limited: true }
    results.push(found)
  }
  return { results: ranked(results, term, local), limited: others.length === MAX_STRANGERS }
}

/**
 * Returns the content of the newest join of a user of another server, where the searcher may see one. A name that the user has in
 * another private room only stays there.
 */
async function nameAmong(db: Read, rooms: VisibleRooms, userId: UserId): Promise<JsonObject | undefined> {
  const join = await rooms.newestJoin(userId)
  return join && (await pdusByNid(db, [join.eventNid])).get(join.eventNid)?.content
}

function shown(userId: UserId, profile: JsonObject | undefined, words: readonly string[]): FoundUser | undefined {
  if (!profile) return undefined
  const [name, avatar] = [stringMember(profile, 'displayname'), stringMember(profile, 'avatar_url')]
  const theirs = [...wordsOfUser(userId, name)]
  if (!words.every((word) => theirs.some((each) => each.startsWith(word)))) return undefined
  return {
    user_id: userId,
    ...(name === undefined ? {} : { display_name: name }),
    ...(avatar === undefined ? {} : { avatar_url: avatar }),
  }
}

/** Ranks exact matches first, then users of the preferred server, then users with a display name. */
function ranked(found: readonly FoundUser[], term: string, preferred: string | undefined): FoundUser[] {
  const wanted = term.trim().toLowerCase()
  const rank = ({ user_id: id, display_name: name }: FoundUser) =>
    (id.toLowerCase() === wanted || name?.toLowerCase() === wanted ? 4 : 0) +
    (preferred !== undefined && serverOf(id) === preferred ? 2 : 0) +
    (name === undefined ? 0 : 1)
  return found.toSorted((a, b) => rank(b) - rank(a))
}
