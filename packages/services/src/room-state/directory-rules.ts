// SPDX-License-Identifier: Apache-2.0
import type { DirectoryRule } from '@myelin/kit/settings/rooms'
import { matchGlob } from '@myelin/matrix/glob'
import type { RoomAlias, RoomId, UserId } from '@myelin/matrix/ids'

/** A user's action in the directory: on a room with these aliases. */
export interface DirectoryAction {
  readonly userId: UserId
  readonly roomId: RoomId
  readonly aliases: readonly RoomAlias[]
}

/**
 * Returns whether rules allow an action. The first rule that matches decides; without rules all is allowed, and what no rule
 * matches is denied.
 */
export function isAllowedBy(rules: readonly DirectoryRule[] | undefined, action: DirectoryAction): boolean {
  if (!rules) return true
  return rules.find((rule) => matches(rule, action))?.isAllowed ?? false
}

function matches(rule: DirectoryRule, { userId, roomId, aliases }: DirectoryAction): boolean {
  const fits = rule.alias === '*' || aliases.some((alias) => matchGlob(rule.alias, alias))
  return fits && matchGlob(rule.userId, userId) && matchGlob(rule.roomId, roomId)
}
