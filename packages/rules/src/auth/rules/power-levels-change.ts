// SPDX-License-Identifier: Apache-2.0
import { isUserId } from '@myelin/matrix/ids'
import { isObject, type JsonObject, member } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { numberOf } from '@myelin/matrix/raw-number'
import type { RoomVersion } from '../../room-versions.ts'
import type { AuthState } from '../auth-state.ts'
import { LEVEL_DEFAULTS, levelOf, levelsIn } from '../power-levels.ts'
import { allow, reject, type Verdict } from '../verdict.ts'

/**
 * Judges `m.room.power_levels`: rule 10.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules
 */
export function judgePowerLevels(event: Pdu, state: AuthState): Verdict {
  const fault = faultOf(event.content, state)
  if (fault !== undefined) return reject(fault)

  // 5. If there is no previous `m.room.power_levels` event in the room, allow.
  const before = state.get('m.room.power_levels')
  if (!before) return allow

  return judgeChanges(event, before.content, state)
}

/** Returns the fault in the form of a power levels event, by rules 10.1 to 10.4. */
function faultOf(content: JsonObject, state: AuthState): string | undefined {
  const { version } = state
  for (const name of Object.keys(LEVEL_DEFAULTS)) {
    const value = member(content, name)
    // 1. Since version 10: if a level is present and not an integer, reject. Earlier versions: reject what is no
    // level in any spelling.
    const isAbsent = value === undefined || (value === null && !version.auth.powerLevelsMustBeIntegers)
    if (!isAbsent && levelOf(value, version) === undefined) return 'power-levels.not-a-level'
  }
  // 2. Since version 10: if `events` or `notifications` is present and not an object of integers, reject.
  if (version.auth.powerLevelsMustBeIntegers) {
    if (!hasOnlyLevels(content, 'events', version)) return 'power-levels.bad-events'
    if (!hasOnlyLevels(content, 'notifications', version)) return 'power-levels.bad-notifications'
  }
  // 3. If `users` is not an object of levels by valid user ID, reject.
  if (!hasOnlyLevels(content, 'users', version)) return 'power-levels.bad-users'
  const users = member(content, 'users')
  if (isObject(users) && !Object.keys(users).every(isUserId)) return 'power-levels.bad-users'

  // 4. Since version 12: if `users` contains a creator, reject.
  const isCreatorListed = isObject(users) && state.creators.some((creator) => Object.hasOwn(users, creator))
  return state.version.auth.creatorsOutrankEveryone && isCreatorListed ? 'power-levels.lists-creator' : undefined
}

function hasOnlyLevels(content: JsonObject, key: string, version: RoomVersion): boolean {
  const list = member(content, key)
  if (list === undefined) return true
  if (!isObject(list) || numberOf(list) !== undefined) return false
  return Object.values(list).every((value) => levelOf(value, version) !== undefined)
}

/** Refuses changes of levels above the sender's own, by rules 10.6 to 10.10. */
function judgeChanges(event: Pdu, before: JsonObject, state: AuthState): Verdict {
  const { version } = state
  const power = state.powerOf(event.sender)

  // 6. A named level that is added, changed or removed must not be above the sender's level, before or after.
  for (const name of Object.keys(LEVEL_DEFAULTS)) {
    const old = levelOf(member(before, name), version)
    const next = levelOf(member(event.content, name), version)
    if (old !== next && isAbove(power, old, next)) return reject('power-levels.level-above-sender')
  }
  // 7 and 8. The same for entries of `events`, and since version 6 of `notifications`.
  const guarded = version.auth.notificationLevelsAreGuarded ? ['events', 'notifications'] : ['events']
  for (const list of guarded) {
    for (const { old, next } of changes(before, event.content, list, version)) {
      if (isAbove(power, old, next)) return reject('power-levels.entry-above-sender')
    }
  }
  for (const { name, old, next } of changes(before, event.content, 'users', version)) {
    // 9. Another user's entry is changed or removed only by a sender with a higher level.
    if (name !== event.sender && old !== undefined && old >= power) return reject('power-levels.user-too-strong')
    // 10. No user is raised above the sender.
    if (next !== undefined && next > power) return reject('power-levels.user-above-sender')
  }
  return allow // 10. Otherwise, allow.
}

interface Change {
  readonly name: string
  readonly old: number | undefined
  readonly next: number | undefined
}

function* changes(before: JsonObject, after: JsonObject, list: string, version: RoomVersion): Generator<Change> {
  const old = levelsIn(before, list, version)
  const next = levelsIn(after, list, version)
  for (const [name, level] of old) if (next.get(name) !== level) yield { name, old: level, next: next.get(name) }
  for (const [name, level] of next) if (!old.has(name)) yield { name, old: undefined, next: level }
}

function isAbove(power: number, ...levels: readonly (number | undefined)[]): boolean {
  return levels.some((level) => level !== undefined && level > power)
}
