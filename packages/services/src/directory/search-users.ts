// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import { stateKey } from '@myelin/rules/auth/state-key'
import { isWorldReadable } from '@myelin/rules/visibility'
import type { Read } from '@myelin/storage/engine/database'
import { membershipsOf } from '@myelin/storage/rooms/members/members'
import { profileOf } from '@myelin/storage/accounts/profiles'
import { roomById } from '@myelin/storage/rooms/rooms'
import { usersByWord } from '@myelin/storage/accounts/user-words'
import { loadState } from '../room-state/load-auth-state.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { indexMembers } from './index-members.ts'
import { searchedWords, wordsOfUser } from './words.ts'

/** A user in the directory, in the wire format. */
export interface FoundUser {
  readonly user_id: UserId
  readonly display_name?: string
  readonly avatar_url?: string
}

const DEFAULT_LIMIT = 10
const MAX_LIMIT = 50
// The most users examined who share no room with the searcher, and the most rooms of each.
const MAX_STRANGERS = 100
const MAX_ROOMS = 200

/**
 * Returns users whose name or ID has words with the searched prefixes: those who share a room with the searcher first,
 * then those in a public or world readable room.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3user_directorysearch
 */
export async function searchUsers(
  rt: Pick<Runtime, 'db' | 'serverName'>,
  searcher: UserId,
  { term, limit = DEFAULT_LIMIT }: { readonly term: string; readonly limit: number | undefined },
): Promise<{ readonly results: readonly FoundUser[]; readonly limited: boolean }> {
  const words = searchedWords(term).toSorted((a, b) => b.length - a.length)
  const [prefix] = words
  const most = Math.min(limit, MAX_LIMIT)
  if (prefix === undefined || most === 0) return { results: [], limited: false }
  await indexMembers(rt)
  const db = rt.db.read
  const results: FoundUser[] = []
  // With several words, the matches of the longest are filtered by the others.
  const looked = words.length === 1 ? most + 1 : MAX_STRANGERS
  const sharing = await usersByWord(db, { searcher, prefix, sharesRoom: true, limit: looked })
  const others =
    sharing.length > most ? [] : await usersByWord(db, { searcher, prefix, sharesRoom: false, limit: MAX_STRANGERS })
  const open = new OpenRooms(db)
  for (const [userId, isSharing] of [
    ...sharing.map((id) => [id, true] as const),
    ...others.map((id) => [id, false] as const),
  ]) {
    const found = await shown(db, userId, words)
    if (!found || !(isSharing || (await open.has(userId)))) continue
    if (results.length === most) return { results: ranked(results, term), limited: true }
    results.push(found)
  }
  return { results: ranked(results, term), limited: others.length === MAX_STRANGERS }
}

async function shown(db: Read, userId: UserId, words: readonly string[]): Promise<FoundUser | undefined> {
  const profile = await profileOf(db, userId)
  const [name, avatar] = [stringMember(profile, 'displayname'), stringMember(profile, 'avatar_url')]
  const theirs = [...wordsOfUser(userId, name)]
  if (!words.every((word) => theirs.some((each) => each.startsWith(word)))) return undefined
  return {
    user_id: userId,
    ...(name === undefined ? {} : { display_name: name }),
    ...(avatar === undefined ? {} : { avatar_url: avatar }),
  }
}

/** Ranks exact matches first, then users with a display name. */
function ranked(found: readonly FoundUser[], term: string): FoundUser[] {
  const wanted = term.trim().toLowerCase()
  const rank = ({ user_id: id, display_name: name }: FoundUser) =>
    (id.toLowerCase() === wanted || name?.toLowerCase() === wanted ? 2 : 0) + (name === undefined ? 0 : 1)
  return found.toSorted((a, b) => rank(b) - rank(a))
}

/** Finds users in public or world readable rooms; each room is examined once, up to a limit. */
class OpenRooms {
  readonly #db: Read
  readonly #known = new Map<string, boolean>()

  constructor(db: Read) {
    this.#db = db
  }

  async has(userId: UserId): Promise<boolean> {
    for (const { roomId, membership } of await membershipsOf(this.#db, userId)) {
      if (membership !== 'join') continue
      let isOpen = this.#known.get(roomId)
      if (isOpen === undefined) {
        if (this.#known.size >= MAX_ROOMS) continue
        isOpen = await this.#isOpen(roomId)
        this.#known.set(roomId, isOpen)
      }
      if (isOpen) return true
    }
    return false
  }

  async #isOpen(roomId: Parameters<typeof roomById>[1]): Promise<boolean> {
    const root = (await roomById(this.#db, roomId))?.stateRoot ?? 0
    const state = await loadState(this.#db, root, [
      ['m.room.join_rules', ''],
      ['m.room.history_visibility', ''],
    ])
    const rule = state.get(stateKey('m.room.join_rules'))
    const visibility = state.get(stateKey('m.room.history_visibility'))
    if (rule && stringMember(rule.content, 'join_rule') === 'public') return true
    return isWorldReadable(visibility && stringMember(visibility.content, 'history_visibility'))
  }
}
