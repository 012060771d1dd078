// SPDX-License-Identifier: Apache-2.0
import { mapInTurns } from '@myelin/kit/turn'
import type { ServerName, UserId } from '@myelin/matrix/ids'
import type { Read } from '../../engine/database.ts'
import { userNames, userNid } from '../../engine/names.ts'
import { prepared } from '../../engine/prepared.ts'
import type { Nid } from '../../schema/schema.ts'

// The estimated cost of a user.
const USER_COST_US = 0.5
// The most members that one statement returns, and rooms that it reads.
const PAGE = 2000
const MAX_TOGETHER = 100
// Clients encrypt for invited users too, where the history visibility lets them read.
const READERS = ['join', 'invite']

/**
 * Returns the users whose devices a user's clients track: all users joined or invited to a room that the user is joined
 * to, and the user.
 */
export async function trackedUsers(db: Read, user: UserId): Promise<Set<UserId>> {
  return namesOf(db, user, { mine: ['join'], theirs: READERS })
}

/**
 * Returns the users whose clients track a user's devices: all users joined to a room that the user is joined or invited
 * to, and the user.
 */
export async function trackersOf(db: Read, user: UserId): Promise<Set<UserId>> {
  return namesOf(db, user, { mine: READERS, theirs: ['join'] })
}

/** Returns whether clients of a server's users track a user's devices. */
export async function isTrackedByServer(db: Read, user: UserId, server: ServerName): Promise<boolean> {
  const nid = await userNid(db, user)
  return nid !== undefined && (await trackerOf(db, nid, server)).length > 0
}

async function namesOf(db: Read, user: UserId, standing: Standing): Promise<Set<UserId>> {
  const nid = await userNid(db, user)
  const nids = nid === undefined ? [] : await usersBeside(db, nid, standing)
  const names = await userNames(db, nids)
  const users = new Set([user])
  await mapInTurns(names.values(), USER_COST_US, (each) => users.add(each))
  return users
}

/** The memberships of a user, and of the users beside in the same room. */
interface Standing {
  readonly mine: readonly string[]
  readonly theirs: readonly string[]
}

/** Reads large rooms page by page: one statement over all members would hold up all others. */
async function usersBeside(db: Read, user: Nid, { mine, theirs }: Standing): Promise<Nid[]> {
  const rooms = (await sizesOfRooms(db, user)).filter(({ membership }) => mine.includes(membership))
  const found = new Set<Nid>()
  for (const { few, after: start } of groupsOf(rooms)) {
    for (let after = start, isWhole = false; !isWhole; ) {
      const page = await db
        .selectFrom('members')
        .select('user_nid')
        .where('room_nid', 'in', few)
        .where('membership', 'in', theirs)
        .$if(few.length === 1, (query) => query.where('user_nid', '>', after).orderBy('user_nid').limit(PAGE))
        .execute()
      for (const row of page) found.add(row.user_nid)
      after = page.at(-1)?.user_nid ?? after
      isWhole = few.length > 1 || page.length < PAGE
    }
  }
  return [...found]
}

/** Returns groups of rooms with few members together, and each room with many alone. */
function groupsOf(rooms: readonly { readonly room_nid: Nid; readonly size: number }[]) {
  const groups: { few: Nid[]; size: number; after: Nid }[] = []
  for (const { room_nid: nid, size } of rooms.toSorted((a, b) => a.size - b.size)) {
    const last = groups.at(-1)
    const fits = last && last.size + size <= PAGE && last.few.length < MAX_TOGETHER
    if (fits) {
      last.few.push(nid)
      last.size += size
    } else groups.push({ few: [nid], size, after: 0 })
  }
  return groups
}

const sizesOfRooms = prepared((db, user: Nid) =>
  db
    .selectFrom('members')
    .innerJoin('rooms', 'rooms.room_nid', 'members.room_nid')
    .select(({ eb }) => [
      'members.room_nid',
      'members.membership',
      eb('rooms.joined_count', '+', eb.ref('rooms.invited_count')).as('size'),
    ])
    .where('members.user_nid', '=', user),
)

const sharedRooms = (db: Read, user: Nid) =>
  db
    .selectFrom('members as mine')
    .innerJoin('members as theirs', 'theirs.room_nid', 'mine.room_nid')
    .select('theirs.user_nid')
    .distinct()
    .where('mine.user_nid', '=', user)

const trackerOf = prepared((db, user: Nid, server: ServerName) =>
  sharedRooms(db, user)
    .innerJoin('users', 'users.user_nid', 'theirs.user_nid')
    .where('mine.membership', 'in', READERS)
    .where('theirs.membership', '=', 'join')
    .where('users.server', '=', server)
    .limit(1),
)
