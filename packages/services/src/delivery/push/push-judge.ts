// SPDX-License-Identifier: Apache-2.0
import { isObject, member, objectMember, stringMember } from '@myelin/matrix/json'
import type { Json } from '@myelin/matrix/json'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { AuthState } from '@myelin/rules/auth/auth-state'
import { threadRootOf } from '@myelin/rules/push/conditions'
import type { PushContext } from '@myelin/rules/push/conditions'
import { defaultRules } from '@myelin/rules/push/default-rules'
import type { RuleChoice } from '@myelin/rules/push/default-rules'
import { evaluate } from '@myelin/rules/push/evaluate'
import type { PushOutcome } from '@myelin/rules/push/evaluate'
import type { PushRuleset } from '@myelin/rules/push/rule'
import { storedPushRules } from '@myelin/storage/accounts/push-rules'
import type { Read } from '@myelin/storage/engine/database'
import { cachedRoom } from '@myelin/storage/rooms/cached-room'
import { cachedRulesOf, threadSubscriptionOf } from '../../account-data/push-rules.ts'
import { loadState, loadStateEvent } from '../../room-state/load-auth-state.ts'
import { roomVersionOf } from '../../room-state/versions.ts'
import { ignoredUsers } from '../../standing/ignored-users.ts'

/** A user that no event is sent by, mentions or targets: the outcome of the default rules for everybody else. */
const ANYBODY = '@:' as UserId

const RULES_OF_ANYBODY = defaultRules(ANYBODY)
const RULES_WITH_ENCRYPTED_EVENTS = defaultRules(ANYBODY, { withEncryptedEvents: true })

function rulesOfAnybody({ withEncryptedEvents }: RuleChoice): PushRuleset {
  return withEncryptedEvents === true ? RULES_WITH_ENCRYPTED_EVENTS : RULES_OF_ANYBODY
}

type RoomContext = Omit<PushContext, 'userId' | 'displayName' | 'senderPower'> & {
  readonly root: number
  readonly powerOf: (sender: UserId) => number
}

/**
 * Evaluates the push rules of many users over the events of a room, with the room's present state.
 *
 * The default rules give all users without rules of their own the same outcome unless the event mentions or targets them, so
 * they are evaluated once per event.
 */
export class PushJudge {
  readonly db: Read
  readonly #roomId: RoomId
  readonly #choice: RuleChoice
  readonly #rulesOfAnybody: PushRuleset
  #context: Promise<RoomContext> | undefined
  readonly #common = new WeakMap<Pdu, PushOutcome>()

  constructor(db: Read, roomId: RoomId, choice: RuleChoice) {
    this.db = db
    this.#roomId = roomId
    this.#choice = choice
    this.#rulesOfAnybody = rulesOfAnybody(choice)
  }

  /** Returns the outcome for a user who may see the event; undefined where it does not notify. */
  async outcomeFor(user: UserId, event: Pdu): Promise<PushOutcome | undefined> {
    if (event.sender === user || (await ignoredUsers(this.db, user)).has(event.sender)) return undefined
    const outcome = await this.#evaluate(user, event)
    return outcome.notify ? outcome : undefined
  }

  async #evaluate(user: UserId, event: Pdu): Promise<PushOutcome> {
    const { root, powerOf, ...shared } = await this.#roomContext()
    const context = { ...shared, senderPower: powerOf(event.sender) }
    const hasOwnRules = (await storedPushRules(this.db, user)) !== undefined
    const isSubscribed = threadRootOf(event) === undefined ? undefined : await threadSubscriptionOf(this.db, user)
    if (!hasOwnRules && !isSubscribed && !isAbout(user, event)) {
      const known = this.#common.get(event)
      if (known) return known
      const outcome = evaluate(this.#rulesOfAnybody, event, { ...context, userId: ANYBODY })
      this.#common.set(event, outcome)
      return outcome
    }
    const rules = await cachedRulesOf(this.db, user, this.#choice)
    const displayName = hasOwnRules ? await this.#displayNameOf(root, user) : undefined
    return evaluate(rules, event, { ...context, userId: user, displayName, isSubscribed })
  }

  async #displayNameOf(root: number, user: UserId): Promise<string | undefined> {
    const own = await loadStateEvent(this.db, root, 'm.room.member', user)
    return own && stringMember(own.content, 'displayname')
  }

  #roomContext(): Promise<RoomContext> {
    return (this.#context ??= this.#readRoom())
  }

  async #readRoom(): Promise<RoomContext> {
    const room = await cachedRoom(this.db, this.#roomId)
    const root = room?.stateRoot ?? 0
    const events = await loadState(this.db, root, [
      ['m.room.power_levels', ''],
      ['m.room.create', ''],
    ])
    const state = new AuthState(roomVersionOf(room?.roomVersion ?? '1'), events)
    return {
      root,
      memberCount: room?.joinedCount ?? 0,
      powerOf: (sender) => state.powerOf(sender),
      notificationLevel: (key) => state.powerLevels.toNotify(key),
    }
  }
}

/** Returns whether the default rules may treat a user unlike others: the event is their membership, or mentions them. */
function isAbout(user: UserId, { stateKey, content }: Pdu): boolean {
  if (stateKey === user) return true
  const mentioned = member(objectMember(content, 'm.mentions') ?? {}, 'user_ids')
  return Array.isArray(mentioned) && mentioned.includes(user)
}

/** Returns the tweaks of an outcome in the form of a push gateway's `tweaks`. */
export function tweaksOf({ tweaks }: PushOutcome): Readonly<Record<string, Json>> {
  return Object.fromEntries([...tweaks].filter(([, value]) => !isObject(value)))
}
