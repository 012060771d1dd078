// SPDX-License-Identifier: Apache-2.0
import { isUserId, type UserId } from '@myelin/matrix/ids'
import { member, stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import type { RoomVersion } from '../room-versions.ts'
import { type LevelName, type PowerLevels, powerLevelsOf } from './power-levels.ts'
import { type StateKey, stateKey } from './state-key.ts'

/** Where an {@link AuthState} finds state: a Map, or anything that answers like one. */
export type StateSource = Pick<ReadonlyMap<StateKey, Pdu>, 'get'>

/**
 * The part of a room's state that the authorization rules ask, in the words they ask in.
 *
 * A view: it reads `events` when asked, so a resolver may go on filling the Map.
 */
export class AuthState {
  readonly version: RoomVersion
  readonly #events: StateSource

  constructor(version: RoomVersion, events: StateSource) {
    this.version = version
    this.#events = events
  }

  /** The state event of this type and key. */
  get(type: string, key = ''): Pdu | undefined {
    return this.#events.get(stateKey(type, key))
  }

  /** A user's membership; `leave` for one who never had any. */
  membershipOf(user: string): string {
    const event = this.get('m.room.member', user)
    return (event && stringMember(event.content, 'membership')) ?? 'leave'
  }

  /** How the room may be joined; `invite` where nothing is said. */
  get joinRule(): string {
    const event = this.get('m.room.join_rules')
    return (event && stringMember(event.content, 'join_rule')) ?? 'invite'
  }

  /** Who made the room: one user, since version 12 perhaps more. Whoever made it is first. */
  get creators(): readonly UserId[] {
    const create = this.get('m.room.create')
    return create ? creatorsOf(create, this.version) : []
  }

  /** A user's power level. Since version 12 a creator's is above every number. */
  powerOf(user: UserId): number {
    const { auth } = this.version
    if (auth.creatorsOutrankEveryone && this.creators.includes(user)) return Infinity
    const event = this.get('m.room.power_levels')
    if (!event && !auth.creatorsOutrankEveryone && this.creators.includes(user)) return 100
    return powerLevelsOf(event, this.version).ofUser(user)
  }

  /** The level it takes to do what `name` names. */
  levelFor(name: LevelName): number {
    return this.powerLevels.level(name)
  }

  /** The level it takes to send an event of this type. */
  levelToSend(type: string, isState: boolean): number {
    return this.powerLevels.toSend(type, isState)
  }

  /** The levels in force. */
  get powerLevels(): PowerLevels {
    return powerLevelsOf(this.get('m.room.power_levels'), this.version)
  }

  /** Whether a user's server may take part: all may, unless the create event keeps the room at home. */
  mayFederateWith(server: string): boolean {
    const create = this.get('m.room.create')
    if (!create || member(create.content, 'm.federate') !== false) return true
    return create.sender.slice(create.sender.indexOf(':') + 1) === server
  }
}

/**
 * The creators a create event names, whoever made the room first.
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
