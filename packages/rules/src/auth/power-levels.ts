// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { isObject, type Json, type JsonObject, member, objectMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { numberOf } from '@myelin/matrix/raw-number'
import type { RoomVersion } from '../room-versions.ts'

/** The levels that a power levels event names directly, with their defaults. */
export const LEVEL_DEFAULTS = {
  users_default: 0,
  events_default: 0,
  state_default: 50,
  ban: 50,
  redact: 50,
  kick: 50,
  invite: 0,
} as const

/** The name of one of {@link LEVEL_DEFAULTS}. */
export type LevelName = keyof typeof LEVEL_DEFAULTS

/**
 * The content of a power levels event, as its room version reads it.
 *
 * Lookups read own members only and parse on demand, because a room may list ten thousand users.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#mroompower_levels
 */
export class PowerLevels {
  readonly #content: JsonObject
  readonly #version: RoomVersion
  readonly #users: JsonObject | undefined
  readonly #events: JsonObject | undefined

  constructor(content: JsonObject, version: RoomVersion) {
    this.#content = content
    this.#version = version
    this.#users = objectMember(content, 'users')
    this.#events = objectMember(content, 'events')
  }

  /** Returns a level by name, or its default. */
  level(name: LevelName): number {
    return levelOf(member(this.#content, name), this.#version) ?? LEVEL_DEFAULTS[name]
  }

  /** Returns a user's level. */
  ofUser(user: UserId): number {
    const own = this.#users && levelOf(member(this.#users, user), this.#version)
    return own ?? this.level('users_default')
  }

  /** Returns the level required to send an event of a type. */
  toSend(type: string, isState: boolean): number {
    const own = this.#events && levelOf(member(this.#events, type), this.#version)
    return own ?? this.level(isState ? 'state_default' : 'events_default')
  }

  /** Returns the level required for a notification key such as `room`; 50 by default. */
  toNotify(key: string): number {
    const levels = objectMember(this.#content, 'notifications')
    return (levels && levelOf(member(levels, key), this.#version)) ?? 50
  }
}

/** Returns the levels of a power levels event, or the defaults without one. Parsed once per event. */
export function powerLevelsOf(event: Pdu | undefined, version: RoomVersion): PowerLevels {
  if (event === undefined) return new PowerLevels({}, version)
  let levels = parsed.get(event)
  if (!levels) parsed.set(event, (levels = new PowerLevels(event.content, version)))
  return levels
}

const parsed = new WeakMap<Pdu, PowerLevels>()

/**
 * Returns a power level as the version reads it: an integer, before version 10 also in a string, before version 6 also
 * a float.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v1/#deprecated-event-content-schemas
 */
export function levelOf(value: Json | undefined, version: RoomVersion): number | undefined {
  const number = numberOf(value)
  if (number !== undefined) {
    if (Number.isSafeInteger(number)) return number
    return !version.strictCanonicalJson && Number.isFinite(number) ? Math.trunc(number) : undefined
  }
  if (version.auth.powerLevelsMustBeIntegers || typeof value !== 'string') return undefined
  const digits = value.trim()
  return /^[+-]?[0-9]+$/.test(digits) && Number.isFinite(Number(digits)) ? Number(digits) : undefined
}

/** Returns the valid levels in a member of the content such as `users`; empty where it is no object. */
export function levelsIn(content: JsonObject, key: string, version: RoomVersion): Map<string, number> {
  const list = member(content, key)
  const levels = new Map<string, number>()
  if (!isObject(list)) return levels
  for (const [name, value] of Object.entries(list)) {
    const level = levelOf(value, version)
    if (level !== undefined) levels.set(name, level)
  }
  return levels
}
