// SPDX-License-Identifier: Apache-2.0
import { isUserId, type UserId } from '@myelin/matrix/ids'
import { member, stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import type { RoomVersion } from '../room-versions.ts'
import { type LevelName, type PowerLevels, powerLevelsOf } from './power-levels.ts'
import { type StateKey, stateKey } from './state-key.ts'

/** The state that an {@link AuthState} reads: a Map, or an object with its `get`. */
export type StateSource = Pick<ReadonlyMap<StateKey, Pdu>, 'get'>

/**
 * The part of a room's state that the authorization rules read, in the rules' terms.
 *
 * A view: it reads `events` on each call, so a resolution may add to the Map.
 */
export class AuthState {
  readonly version: RoomVersion
  readonly #events: StateSource

  constructor(version: RoomVersion, events: StateSource) {
    this.version = version
    this.#events = events
  }

  /** Returns the state event of a type and key. */
  get(type: string, key = ''): Pdu | undefined {
    return this.#events.get(stateKey(type, key))
  }

  /** Returns a user's membership; `leave` without a member event. */
  membershipOf(user: string): string {
    const event = this.get('m.room.member', user)
    return (event && stringMember(event.content, 'membership')) ?? 'leave'
  }

  /** Returns the join rule; `invite` by default. */
  get joinRule(): string {
    const event = this.get('m.room.join_rules')
    return (event && stringMember(event.content, 'join_rule')) ?? 'invite'
  }

  /** Returns the room's creators, its maker first: one user, since version 12 perhaps more. */
  get creators(): readonly UserId[] {
    const create = this.get('m.room.create')
    return create ? creatorsOf(create, this.version) : []
  }

  /** Returns a user's power level. Since version 12 a creator's is above every number. */
  powerOf(user: UserId): number {
    const { auth } = this.version
    if (auth.creatorsOutrankEveryone && this.creators.includes(user)) return Infinity
    const event = this.get('m.room.power_levels')
    if (!event && !auth.creatorsOutrankEveryone && this.creators.includes(user)) return 100
    return powerLevelsOf(event, this.version).ofUser(user)
  }

  /** Returns the level required for a named action. */
  levelFor(name: LevelName): number {
    return this.powerLevels.level(name)
  }

  /** Returns the level required to send an event of a type. */
  levelToSend(type: string, isState: boolean): number {
    return this.powerLevels.toSend(type, isState)
  }

  /** Returns the current power levels. */
  get powerLevels(): PowerLevels {
    return powerLevelsOf(this.get('m.room.power_levels'), this.version)
  }

  /**
   * Returns whether users of a server may be in the room: all may, unless the create event sets `m.federate` to false.
   */
  mayFederateWith(server: string): boolean {
    const create = this.get('m.room.create')
    if (!create || member(create.content, 'm.federate') !== false) return true
    return create.sender.slice(create.sender.indexOf(':') + 1) === server
  }
}

/**
 * Returns the creators that a create event names, its sender first.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules
 */
export function creatorsOf(create: Pdu, version: RoomVersion): readonly UserId[] {
  let creators = known.get(create)
  if (!creators) known.set(create, (creators = readCreators(create, version)))
  return creators
}

const known = new WeakMap<Pdu, readonly UserId[]>()

function readCreators(create: Pdu, version: RoomVersion): readonly UserId[] {
  if (version.auth.creatorsOutrankEveryone) {
    const additional = member(create.content, 'additional_creators')
    return [...new Set([create.sender, ...(Array.isArray(additional) ? additional.filter(isUserId) : [])])]
  }
  if (version.auth.creatorIsSender) return [create.sender]
  const creator = stringMember(create.content, 'creator')
  return creator === undefined ? [] : [creator as UserId]
}
