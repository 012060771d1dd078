// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { ACCOUNT_ORDERS, listAccounts, withDetails } from '@myelin/storage/accounts/account-list'
import type { AccountFilter, AccountPage, ListedAccount } from '@myelin/storage/accounts/account-list'
import type { Runtime } from '../runtime/runtime.ts'
import { localAccount } from './local-account.ts'

/** The columns by which users are ordered. */
export const USER_ORDERS = ACCOUNT_ORDERS

/** A user as admins see them: the account, the profile, the last activity. */
export type ListedUser = ListedAccount

/** The most users of a page. */
const MAX_PAGE = 1000

/** A page of users. `next` is the number of users before the next page; undefined on the last one. */
export interface UserPage {
  readonly users: readonly ListedUser[]
  readonly total: number
  readonly next: number | undefined
}

/** Returns a page of the users of this server, at most 1000. */
export async function listUsers(rt: Pick<Runtime, 'db'>, filter: AccountFilter, page: AccountPage): Promise<UserPage> {
  const limit = Math.min(page.limit, MAX_PAGE)
  const { accounts, total } = await listAccounts(rt.db.read, filter, { ...page, limit })
  return { users: accounts, total, next: page.from + limit < total ? page.from + accounts.length : undefined }
}

/** Returns a user of this server; throws `M_NOT_FOUND`. */
export async function userDetails(rt: Pick<Runtime, 'db' | 'serverName'>, userId: UserId): Promise<ListedUser> {
  const [user] = await withDetails(rt.db.read, [await localAccount(rt, userId)])
  if (!user) throw new Error('an account has no details')
  return user
}
