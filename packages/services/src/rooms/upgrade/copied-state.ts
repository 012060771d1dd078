// SPDX-License-Identifier: Apache-2.0
import { isObject, member, objectMember, stringMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { UserId } from '@myelin/matrix/ids'
import { stateKey } from '@myelin/rules/auth/state-key'
import type { RoomVersion } from '@myelin/rules/room-versions'
import type { Read } from '@myelin/storage/engine/database'
import { loadState } from '../../room-state/load-auth-state.ts'
import type { InitialEvent } from '../drafts/initial-events.ts'

const COPIED = [
  'm.room.server_acl',
  'm.room.encryption',
  'm.room.name',
  'm.room.avatar',
  'm.room.topic',
  'm.room.guest_access',
  'm.room.history_visibility',
  'm.room.join_rules',
] as const

/** The level in a new room for what only its creators do, where they outrank all levels. */
const CREATORS_ONLY = 150

/** The replaced room with its state, and its replacement. */
export interface Replacement {
  readonly stateRoot: number
  readonly from: RoomVersion
  readonly to: RoomVersion
  /** The creators of the old room, where that gave them power without a level. */
  readonly oldCreators: readonly UserId[]
  /** The creators of the new room. */
  readonly creators: readonly UserId[]
}

/**
 * Returns the state that a replacement copies, after the creator's join: the spec's list, with the power levels last,
 * so that the creator may send all of it whatever their level is in the end.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#room-upgrades
 */
export async function copiedState(db: Read, replacement: Replacement): Promise<InitialEvent[]> {
  const types = [...COPIED, 'm.room.power_levels'] as const
  const state = await loadState(
    db,
    replacement.stateRoot,
    types.map((type) => [type, '']),
  )
  return types.flatMap((type): InitialEvent[] => {
    const content = state.get(stateKey(type))?.content
    if (!content) return []
    if (type === 'm.room.join_rules') return [{ type, stateKey: '', content: joinRules(content, replacement.to) }]
    if (type === 'm.room.power_levels') return [{ type, stateKey: '', content: powerLevels(content, replacement) }]
    return [{ type, stateKey: '', content }]
  })
}

/** Returns join rules that the new version knows: with an unknown one no user could join, not even with an invite. */
function joinRules(content: JsonObject, { auth }: RoomVersion): JsonObject {
  const rule = stringMember(content, 'join_rule')
  return rule !== undefined && auth.joinRules.includes(rule) ? content : { join_rule: 'invite' }
}

/** Returns the copied power levels, with or without levels for creators, depending on the version. */
function powerLevels(content: JsonObject, { from, to, oldCreators, creators }: Replacement): JsonObject {
  const users = new Map<string, Json>(Object.entries(objectMember(content, 'users') ?? {}))
  if (from.auth.creatorsOutrankEveryone && !to.auth.creatorsOutrankEveryone) {
    const highest = Math.max(100, ...levelsIn(content))
    for (const creator of [...oldCreators, ...creators]) users.set(creator, highest)
  }
  if (to.auth.creatorsOutrankEveryone) for (const creator of creators) users.delete(creator)
  const copied: Record<string, Json> = { ...content, users: Object.fromEntries(users) }
  // In versions whose creators outrank all levels, only creators may replace the room, as in any new room.
  if (to.auth.creatorsOutrankEveryone && !from.auth.creatorsOutrankEveryone) {
    const events = objectMember(content, 'events') ?? {}
    const level = Number(member(events, 'm.room.tombstone') ?? 0)
    copied['events'] = {
      ...events,
      'm.room.tombstone': Math.max(CREATORS_ONLY, Number.isSafeInteger(level) ? level : 0),
    }
  }
  // Old rooms may have levels in strings, which later versions refuse.
  return to.auth.powerLevelsMustBeIntegers ? (withIntegers(copied) as JsonObject) : copied
}

function levelsIn(content: JsonObject): number[] {
  return Object.keys(content).flatMap((name) => {
    const value = member(content, name)
    if (isObject(value)) return levelsIn(value)
    return typeof value === 'number' && Number.isSafeInteger(value) ? [value] : []
  })
}

function withIntegers(value: Json): Json {
  if (typeof value === 'string' && /^ *[+-]?[0-9]{1,15} *$/.test(value)) return Number(value)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withIntegers(inner)]))
}

/**
 * Returns the power levels with which only moderators send or invite in the old room. Undefined where these are in
 * force already.
 */
export function restrictedLevels(content: JsonObject): JsonObject | undefined {
  const numberIn = (name: string) => {
    const value = withIntegers(member(content, name) ?? 0)
    return typeof value === 'number' ? value : 0
  }
  const least = Math.max(50, numberIn('users_default') + 1)
  const quiet: Record<string, Json> = { ...content }
  for (const name of ['events_default', 'invite']) quiet[name] = Math.max(numberIn(name), least)
  const isSame = ['events_default', 'invite'].every((name) => numberIn(name) === quiet[name])
  return isSame ? undefined : quiet
}
