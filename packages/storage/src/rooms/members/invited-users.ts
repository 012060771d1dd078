// SPDX-License-Identifier: Apache-2.0
import type { ServerName, UserId } from '@myelin/matrix/ids'
import type { Read } from '../../engine/database.ts'
import type { Position } from '../../schema/schema.ts'

/** Returns the users of a server that were invited to a room after a position, and have not answered yet. */
export async function usersOfServerInvitedAfter(db: Read, server: ServerName, after: Position): Promise<UserId[]> {
  const rows = await db
    .selectFrom('users')
    .innerJoin('members', 'members.user_nid', 'users.user_nid')
    .select('users.user_id')
    .distinct()
    .where('users.server', '=', server)
    .where('members.membership', '=', 'invite')
    .where('members.position', '>', after)
    .execute()
  return rows.map((row) => row.user_id)
}
