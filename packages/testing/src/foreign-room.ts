// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import { serverOf } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import type { SigningKey } from '@myelin/matrix/signatures'
import { neededState } from '@myelin/rules/auth/needed-state'
import { stateKey } from '@myelin/rules/auth/state-key'
import type { StateKey } from '@myelin/rules/auth/state-key'
import { buildPdu } from '@myelin/rules/events/build-pdu'
import { referenceHash } from '@myelin/rules/events/event-id'
import type { RoomVersion } from '@myelin/rules/room-versions'

/** An event of a room that is made up. */
export interface RoomDraft {
  readonly sender: string
  readonly type: string
  readonly content: JsonObject
  readonly stateKey?: string
  /** By default the event added last. */
  readonly prevEvents?: readonly EventId[]
  /** The state from which auth events are taken; by default that after all events so far. */
  readonly state?: ReadonlyMap<StateKey, Pdu>
}

/** A room that no server under test has: built and signed offline, each event with the key of its sender's server. */
export class ForeignRoom {
  readonly roomId: RoomId
  readonly version: RoomVersion
  readonly creator: UserId
  readonly events = new Map<EventId, Pdu>()
  readonly state = new Map<StateKey, Pdu>()
  readonly #keyOf: (server: string) => SigningKey
  #last: Pdu | undefined
  #now: number

  constructor(version: RoomVersion, creator: string, keyOf: (server: string) => SigningKey, now: number) {
    this.version = version
    this.creator = creator as UserId
    this.#keyOf = keyOf
    this.#now = now
    const isOwnName = version.roomIds === 'hash of create event'
    this.roomId = `!made${now}:${serverOf(this.creator)}` as RoomId
    const content = { room_version: version.id, creator }
    const create = this.append({ sender: creator, type: 'm.room.create', stateKey: '', content })
    if (isOwnName) this.roomId = create.roomId
  }

  /** The event that was added last. */
  get last(): Pdu {
    if (!this.#last) throw new Error('a room has a create event')
    return this.#last
  }

  /** Adds an event and answers it; the room's state has it then. */
  append(draft: RoomDraft): Pdu {
    const pdu = this.build(draft)
    this.adopt(pdu)
    return pdu
  }

  /** Adds an event that was built elsewhere. */
  adopt(pdu: Pdu): void {
    this.events.set(pdu.id, pdu)
    if (pdu.stateKey !== undefined) this.state.set(stateKey(pdu.type, pdu.stateKey), pdu)
    this.#last = pdu
  }

  /** An event of the room that is not in it. */
  build({ prevEvents, state = this.state, ...draft }: RoomDraft): Pdu {
    const isCreate = draft.type === 'm.room.create' && this.events.size === 0
    const isOwnName = this.version.roomIds === 'hash of create event'
    const sender = draft.sender as UserId
    const server = serverOf(sender)
    const needed = isCreate ? [] : neededState({ ...draft, sender }, this.version)
    const authEvents = needed.flatMap(([type, key]) => state.get(stateKey(type, key))?.id ?? [])
    const previous = prevEvents ?? (this.#last ? [this.#last.id] : [])
    const hashes = this.#hashesOf([...previous, ...authEvents])
    return buildPdu(
      {
        ...draft,
        sender,
        ...(isCreate && isOwnName ? {} : { roomId: this.roomId }),
        ...(hashes ? { hashes } : {}),
        prevEvents: previous,
        authEvents,
        depth: (this.#last?.depth ?? 0) + 1,
        originServerTs: this.#now++,
      },
      this.version,
      { serverName: server, key: this.#keyOf(server) },
      () => `$${this.#now}x${this.events.size}:${server}`,
    )
  }

  #hashesOf(ids: readonly EventId[]): ReadonlyMap<EventId, string> | undefined {
    if (this.version.eventIds !== 'chosen by server') return undefined
    const events = ids.flatMap((id) => this.events.get(id) ?? [])
    return new Map(events.map((pdu) => [pdu.id, referenceHash(pdu.json, this.version)]))
  }
}

/** Returns a public room of `creator`, with its first four events. */
export function publicForeignRoom(
  version: RoomVersion,
  creator: string,
  keyOf: (server: string) => SigningKey,
  now: number,
): ForeignRoom {
  const room = new ForeignRoom(version, creator, keyOf, now)
  const put = (type: string, content: JsonObject, key = '') =>
    room.append({ sender: creator, type, stateKey: key, content })
  put('m.room.member', { membership: 'join' }, creator)
  put('m.room.power_levels', version.auth.creatorsOutrankEveryone ? { users: {} } : { users: { [creator]: 100 } })
  put('m.room.join_rules', { join_rule: 'public' })
  return room
}
