// SPDX-License-Identifier: Apache-2.0
import { listUsers, USER_ORDERS } from '@myelin/services/moderation/list-users'
import type { Runtime } from '@myelin/services/runtime/runtime'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import { OptionalLimit, OptionalText, oneOf } from '../../../schemas.ts'
import { UserEntry, userEntry } from './user-replies.ts'

const Flag = Type.Optional(Type.Boolean())

/** The query of both versions of the list of users. */
export const UserListQuery = Type.Object({
  from: OptionalLimit,
  limit: OptionalLimit,
  user_id: OptionalText,
  name: OptionalText,
  guests: Flag,
  deactivated: Flag,
  locked: Flag,
  admins: Flag,
  order_by: Type.Optional(oneOf(USER_ORDERS)),
  dir: Type.Optional(oneOf(['f', 'b'])),
  not_user_type: Type.Optional(Type.Array(Type.String())),
})

/** A page of users. `next_token` is a number as text. */
export const UserListReply = Type.Object({
  users: Type.Array(UserEntry),
  total: Type.Integer(),
  next_token: OptionalText,
})

const PAGE = 100

/** Returns a page of users. `isDeactivated` filters where it is a boolean. */
export async function userList(rt: Runtime, query: Static<typeof UserListQuery>, isDeactivated: boolean | undefined) {
  // No user has a type, so that excluding users without one excludes all.
  if (query.not_user_type?.includes('')) return { users: [], total: 0 }
  const filter = {
    name: query.name === '' ? undefined : query.name,
    userId: query.user_id,
    isGuest: query.guests === false ? false : undefined,
    isLocked: query.locked === true ? undefined : false,
    isAdmin: query.admins,
    isDeactivated,
  }
  const page = {
    order: query.order_by ?? ('name' as const),
    isDescending: query.dir === 'b',
    from: query.from ?? 0,
    limit: query.limit ?? PAGE,
  }
  const { users, total, next } = await listUsers(rt, filter, page)
  return { users: users.map(userEntry), total, next_token: next === undefined ? undefined : String(next) }
}
