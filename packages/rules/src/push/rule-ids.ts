// SPDX-License-Identifier: Apache-2.0
import { isRoomId, isUserId } from '@myelin/matrix/ids'
import type { PushKind } from './rule.ts'

/** The rule that disables all notifications; it alone precedes a user's own rules. */
export const MASTER_RULE = '.m.rule.master'

/**
 * Returns whether a rule is a server-default one, which can be changed but neither added nor deleted.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#predefined-rules
 */
export function isServerDefault(ruleId: string): boolean {
  return ruleId.startsWith('.')
}

/**
 * Returns the fault in the ID of a rule that a user wants to add; undefined for a valid one.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3pushrulesglobalkindruleid
 */
export function faultOfRuleId(kind: PushKind, ruleId: string): string | undefined {
  if (ruleId === '') return 'a rule ID must not be empty'
  if (isServerDefault(ruleId)) return "a rule ID must not start with '.'"
  if (ruleId.includes('/') || ruleId.includes('\\')) return 'a rule ID must not contain slashes'
  if (kind === 'room' && !isRoomId(ruleId)) return 'the ID of a room rule is a room ID'
  if (kind === 'sender' && !isUserId(ruleId)) return 'the ID of a sender rule is a user ID'
  return undefined
}
