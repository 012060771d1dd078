// SPDX-License-Identifier: Apache-2.0
import { sql } from 'kysely'
import type { RawBuilder, SqlBool } from 'kysely'
import { inChunks } from '../engine/database.ts'
import type { Read } from '../engine/database.ts'
import { accountFrom } from './accounts.ts'
import type { Account } from './accounts.ts'

/** The columns by which accounts are ordered, in the words of Synapse's admin API. */
export const ACCOUNT_ORDERS = [
  'name',
  'displayname',
  'is_guest',
  'admin',
  'deactivated',
  'user_type',
  'avatar_url',
  'shadow_banned',
  'creation_ts',
  'last_seen_ts',
  'locked',
] as const

/** One of {@link ACCOUNT_ORDERS}. */
type AccountOrder = (typeof ACCOUNT_ORDERS)[number]

/** The accounts of a list. A flag that is undefined does not filter. */
export interface AccountFilter {
  /** Part of the localpart or of the display name, in any case. */
  readonly name?: string | undefined
  /** Part of the user ID, in any case; ignored beside `name`. */
  readonly userId?: string | undefined
  readonly isGuest?: boolean | undefined
  readonly isDeactivated?: boolean | undefined
  readonly isLocked?: boolean | undefined
  readonly isAdmin?: boolean | undefined
}

/** A page of the list. */
export interface AccountPage {
  readonly order: AccountOrder
  readonly isDescending: boolean
  /** The number of accounts before the page. */
  readonly from: number
  readonly limit: number
}

/** An account with what a list shows of its profile and its devices. */
export interface ListedAccount extends Account {
  readonly displayName: string | null
  readonly avatarUrl: string | null
  readonly lastSeenTs: number | null
}

/** Returns a page of the accounts that a filter lets through, and how many there are in total. */
export async function listAccounts(
  db: Read,
  filter: AccountFilter,
  page: AccountPage,
): Promise<{ readonly accounts: ListedAccount[]; readonly total: number }> {
  const passes = conditionOf(filter)
  const counted = await db
    .selectFrom('accounts')
    .select((row) => row.fn.countAll<number | string>().as('total'))
    .where(passes)
    .execute()
  const column = ORDERS[page.order]
  const direction = page.isDescending ? 'desc' : 'asc'
  const rows = await db
    .selectFrom('accounts')
    .selectAll()
    .where(passes)
    .$call((query) => (column ? query.orderBy(column, direction) : query))
    // The user ID decides between equals, always ascending, as in Synapse.
    .orderBy('accounts.user_id', page.order === 'name' ? direction : 'asc')
    .limit(page.limit)
    .offset(page.from)
    .execute()
  return { accounts: await withDetails(db, rows.map(accountFrom)), total: Number(counted[0]?.total ?? 0) }
}

/** Returns accounts with their display name, avatar and last activity, in the same order. */
export async function withDetails(db: Read, accounts: readonly Account[]): Promise<ListedAccount[]> {
  const ids = accounts.map(({ userId }) => userId)
  const fields = await inChunks(ids, (chunk) =>
    db
      .selectFrom('profiles')
      .selectAll()
      .where('user_id', 'in', chunk)
      .where('field', 'in', ['displayname', 'avatar_url'])
      .execute(),
  )
  const seen = await inChunks(ids, (chunk) =>
    db
      .selectFrom('devices')
      .select((row) => ['user_id', row.fn.max('last_seen_ts').as('last_seen_ts')])
      .where('user_id', 'in', chunk)
      .groupBy('user_id')
      .execute(),
  )
  const profiles = new Map(fields.map(({ user_id: user, field, value }) => [`${field} ${user}`, textOf(value)]))
  const sightings = new Map(seen.map((row) => [row.user_id, row.last_seen_ts]))
  return accounts.map((account) => ({
    ...account,
    displayName: profiles.get(`displayname ${account.userId}`) ?? null,
    avatarUrl: profiles.get(`avatar_url ${account.userId}`) ?? null,
    lastSeenTs: sightings.get(account.userId) ?? null,
  }))
}

function textOf(value: string): string | null {
  const text: unknown = JSON.parse(value)
  return typeof text === 'string' ? text : null
}

const profileField = (field: string) =>
  sql<string>`coalesce((select value from profiles as shown
    where shown.user_id = accounts.user_id and shown.field = ${sql.lit(field)}), '')`

/** No account has a type or a shadow ban: the user ID decides there. */
const ORDERS: Readonly<Partial<Record<AccountOrder, RawBuilder<unknown>>>> = {
  displayname: profileField('displayname'),
  is_guest: sql`accounts.is_guest`,
  admin: sql`accounts.is_admin`,
  deactivated: sql`accounts.is_deactivated`,
  avatar_url: profileField('avatar_url'),
  creation_ts: sql`accounts.created_ts`,
  last_seen_ts: sql`coalesce((select max(last_seen_ts) from devices as used
    where used.user_id = accounts.user_id), 0)`,
  locked: sql`accounts.is_locked`,
}

function conditionOf(filter: AccountFilter): RawBuilder<SqlBool> {
  const conditions: RawBuilder<SqlBool>[] = [sql<SqlBool>`1 = 1`]
  const flags = [
    ['is_guest', filter.isGuest],
    ['is_deactivated', filter.isDeactivated],
    ['is_locked', filter.isLocked],
    ['is_admin', filter.isAdmin],
  ] as const
  for (const [column, value] of flags) {
    if (value !== undefined) conditions.push(sql<SqlBool>`${sql.ref(`accounts.${column}`)} = ${sql.lit(Number(value))}`)
  }
  if (filter.name !== undefined) {
    const local = `@%${escaped(filter.name.toLowerCase())}%:%`
    // Profiles hold JSON: the text within its quotation marks.
    const shown = `%${escaped(JSON.stringify(filter.name.toLowerCase()).slice(1, -1))}%`
    conditions.push(sql<SqlBool>`(lower(accounts.user_id) like ${local} escape '\\' or exists (
      select 1 from profiles as named where named.user_id = accounts.user_id and named.field = 'displayname'
        and lower(named.value) like ${shown} escape '\\'))`)
  } else if (filter.userId !== undefined) {
    conditions.push(
      sql<SqlBool>`lower(accounts.user_id) like ${`%${escaped(filter.userId.toLowerCase())}%`} escape '\\'`,
    )
  }
  return sql<SqlBool>`${sql.join(conditions, sql` and `)}`
}

/** Returns a text in which the wildcards of `like` stand for themselves. */
function escaped(text: string): string {
  return text.replaceAll(/[\\%_]/g, String.raw`\$&`)
}
