// SPDX-License-Identifier: Apache-2.0
import type { ServerName, UserId } from '@myelin/matrix/ids'
import type { Read } from '../../engine/database.ts'
import { userNames, userNid } from '../../engine/names.ts'
import { prepared } from '../../engine/prepared.ts'
import type { Nid } from '../../schema/schema.ts'

// Clients encrypt for invited users too, where the history visibility lets them read.
const READERS = ['join', 'invite']

/**
 * Returns the users whose devices a user's clients track: all users joined or invited to a room that the user is joined
 * to, and the user.
 */
export async function trackedUsers(db: Read, user: UserId): Promise<Set<UserId>> {
  return namesOf(db, user, readersBeside)
}

/**
 * Returns the users whose clients track a user's devices: all users joined to a room that the user is joined or invited
 * to, and the user.
 */
export async function trackersOf(db: Read, user: UserId): Promise<Set<UserId>> {
  return namesOf(db, user, membersAround)
}

/** Returns whether clients of a server's users track a user's devices. */
export async function isTrackedByServer(db: Read, user: UserId, server: ServerName): Promise<boolean> {
  const nid = await userNid(db, user)
  return nid !== undefined && (await trackerOf(db, nid, server)).length > 0
}

async function namesOf(
  db: Read,
  user: UserId,
  read: (db: Read, nid: Nid) => Promise<readonly { readonly user_nid: Nid }[]>,
): Promise<Set<UserId>> {
  const nid = await userNid(db, user)
  const rows = nid === undefined ? [] : await read(db, nid)
  const names = await userNames(
    db,
    rows.map((row) => row.user_nid),
  )
  return new Set([user, ...names.values()])
}

const sharedRooms = (db: Read, user: Nid) =>
  db
    .selectFrom('members as mine')
    .innerJoin('members as theirs', 'theirs.room_nid', 'mine.room_nid')
    .select('theirs.user_nid')
    .distinct()
    .where('mine.user_nid', '=', user)

const readersBeside = prepared((db, user: Nid) =>
  sharedRooms(db, user).where('mine.membership', '=', 'join').where('theirs.membership', 'in', READERS),
)

const membersAround = prepared((db, user: Nid) =>
  sharedRooms(db, user).where('mine.membership', 'in', READERS).where('theirs.membership', '=', 'join'),
)

const trackerOf = prepared((db, user: Nid, server: ServerName) =>
  sharedRooms(db, user)
    .innerJoin('users', 'users.user_nid', 'theirs.user_nid')
    .where('mine.membership', 'in', READERS)
    .where('theirs.membership', '=', 'join')
    .where('users.server', '=', server)
    .limit(1),
)
