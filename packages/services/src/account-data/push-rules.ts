// SPDX-License-Identifier: Apache-2.0
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { AuthState } from '@myelin/rules/auth/auth-state'
import { stateKey } from '@myelin/rules/auth/state-key'
import type { PushContext } from '@myelin/rules/push/conditions'
import { rulesetOf } from '@myelin/rules/push/default-rules'
import type { OwnRules, RuleChoice } from '@myelin/rules/push/default-rules'
import type { PushRuleset } from '@myelin/rules/push/rule'
import { cachedReader } from '@myelin/storage/engine/cached-reader'
import type { Read } from '@myelin/storage/engine/database'
import { storedPushRules } from '@myelin/storage/accounts/push-rules'
import { subscribedThreads } from '@myelin/storage/sync/thread-subscriptions'
import { roomById } from '@myelin/storage/rooms/rooms'
import { stringMember } from '@myelin/matrix/json'
import { loadState } from '../room-state/load-auth-state.ts'
import { roomVersionOf } from '../room-state/versions.ts'

/** Returns a user's changes of the push rules; undefined if there are none. */
export async function ownRules(db: Read, user: UserId): Promise<OwnRules | undefined> {
  const stored = await storedPushRules(db, user)
  if (!stored) return undefined
  const { added, changed } = JSON.parse(stored) as { added: OwnRules['added']; changed: Record<string, JsonObject> }
  return { added, changed: new Map(Object.entries(changed)) }
}

/** Returns all push rules of a user: their own and the default ones. */
export async function rulesOf(db: Read, user: UserId, choice: RuleChoice): Promise<PushRuleset> {
  return rulesetOf(user, await ownRules(db, user), choice)
}

const readRules = cachedReader(
  'rulesets',
  2_000,
  (user: UserId) => user,
  (db, user: UserId, choice: string) => rulesOf(db, user, { withEncryptedEvents: choice === 'encrypted' }),
)

/** Returns the same as {@link rulesOf}, cached until the user's topic is touched. */
export function cachedRulesOf(db: Read, user: UserId, choice: RuleChoice): Promise<PushRuleset> {
  return readRules(db, user, choice.withEncryptedEvents === true ? 'encrypted' : '')
}

/**
 * Returns a function that returns whether a user is subscribed to a thread; undefined for users who never subscribed to one or
 * unsubscribed: their clients do not know subscriptions, so threads notify them like the main timeline.
 */
export async function threadSubscriptionOf(db: Read, user: UserId): Promise<((root: string) => boolean) | undefined> {
  const threads = await subscribedThreads(db, user)
  return threads.size === 0 ? undefined : (root) => threads.get(root) ?? false
}

/**
 * Returns the input for evaluating a user's push rules over events of a room, with the room's present state. By default the
 * server-default rules are those that unread counts use.
 */
export async function pushContext(
  db: Read,
  user: UserId,
  roomId: RoomId,
  choice: RuleChoice = {},
): Promise<{ readonly rules: PushRuleset; forSender(sender: UserId): PushContext }> {
  const rules = await rulesOf(db, user, choice)
  const room = await roomById(db, roomId)
  const version = roomVersionOf(room?.roomVersion ?? '1')
  const events = await loadState(db, room?.stateRoot ?? 0, [
    ['m.room.power_levels', ''],
    ['m.room.create', ''],
    ['m.room.member', user],
  ])
  const state = new AuthState(version, events)
  const own = events.get(stateKey('m.room.member', user))
  const isSubscribed = await threadSubscriptionOf(db, user)
  return {
    rules,
    forSender: (sender) => ({
      userId: user,
      displayName: own && stringMember(own.content, 'displayname'),
      memberCount: room?.joinedCount ?? 0,
      senderPower: state.powerOf(sender),
      notificationLevel: (key) => state.powerLevels.toNotify(key),
      isSubscribed,
    }),
  }
}
