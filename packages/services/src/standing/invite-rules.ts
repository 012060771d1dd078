// SPDX-License-Identifier: Apache-2.0
import { matchGlob } from '@myelin/matrix/glob'
import { MatrixError } from '@myelin/matrix/errors'
import { serverOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { member, stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { accountDataOf } from '@myelin/storage/accounts/account-data'
import type { Read } from '@myelin/storage/engine/database'

/** The treatment of an invite: `ignore` accepts it and hides it, `block` refuses it. */
type InviteRule = 'allow' | 'ignore' | 'block'

/** Returns the rule for an inviter. */
export type InviteRules = (inviter: UserId) => InviteRule

/** The account data of MSC4155, by its unstable name. */
const FILTER = 'org.matrix.msc4155.invite_permission_config'
const STABLE = 'm.invite_permission_config'
/** Longer patterns match no user ID. */
const MAX_PATTERN = 255
const ORDER = [
  ['allowed', 'allow'],
  ['ignored', 'ignore'],
  ['blocked', 'block'],
] as const

/**
 * Returns a user's rules for invites. All invites are blocked by the `default_action` of the spec; lists of users and servers
 * (MSC4155) apply otherwise: users before servers, and allowed before ignored before blocked.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#invite-permission
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4155
 */
export async function inviteRulesOf(db: Read, user: UserId): Promise<InviteRules> {
  const stable = await accountDataOf(db, user, '', STABLE)
  if (stable && stringMember(stable, 'default_action') === 'block') return () => 'block'
  const filter = (await accountDataOf(db, user, '', FILTER)) ?? stable
  if (!filter) return () => 'allow'
  const users = ORDER.map(([name, rule]) => [patternsIn(filter, `${name}_users`), rule] as const)
  const servers = ORDER.map(([name, rule]) => [patternsIn(filter, `${name}_servers`), rule] as const)
  const ruleIn = (lists: typeof users, text: string) =>
    lists.find(([patterns]) => patterns.some((pattern) => matchGlob(pattern, text)))?.[1]
  return (inviter) => ruleIn(users, inviter) ?? ruleIn(servers, serverOf(inviter)) ?? 'allow'
}

/** Throws `M_INVITE_BLOCKED` where a user's rules refuse an inviter. */
export async function refuseBlockedInvite(db: Read, target: UserId, inviter: UserId): Promise<void> {
  if (inviter === target || (await inviteRulesOf(db, target))(inviter) !== 'block') return
  throw new MatrixError('M_INVITE_BLOCKED', `${target} does not accept invites`)
}

function patternsIn(config: JsonObject, name: string): string[] {
  const list = member(config, name)
  if (!Array.isArray(list)) return []
  return (list as readonly unknown[]).filter(
    (each): each is string => typeof each === 'string' && each.length > 0 && each.length <= MAX_PATTERN,
  )
}
