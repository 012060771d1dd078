// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { signingKeyFromSeed } from '@myelin/matrix/signatures'
import { AuthState } from './auth/auth-state.ts'
import { stateKey } from './auth/state-key.ts'
import type { PduDraft } from './events/build-pdu.ts'
import type { Signer } from './events/signing.ts'
import { ROOM_VERSIONS, type RoomVersion } from './room-versions.ts'

// For the tests of this package only: rooms and events with defaults for everything.

/** The creator of the rooms. */
export const alice = '@alice:one.test' as UserId
/** A user of another server. */
export const bob = '@bob:two.test' as UserId
/** A user of the same server. */
export const carol = '@carol:one.test' as UserId
/** The default room. */
export const room = '!room:one.test' as RoomId
/** Every room version. */
export const versions: readonly RoomVersion[] = [...ROOM_VERSIONS.values()]

/** Returns the version of a name; throws for an unknown one. */
export function versionOf(id: string): RoomVersion {
  const version = ROOM_VERSIONS.get(id)
  if (!version) throw new RangeError(`no room version ${id}`)
  return version
}

/** Returns the versions from one to another. */
export function versionsFrom(first: number, last = 12): readonly RoomVersion[] {
  return versions.filter(({ id }) => Number(id) >= first && Number(id) <= last)
}

/** Alice's server. */
export const signer: Signer = {
  serverName: 'one.test' as Signer['serverName'],
  key: signingKeyFromSeed('1', Buffer.alloc(32, 7)),
}

/** Returns an event that exists in memory only. */
export function event(fields: Partial<Pdu> & Pick<Pdu, 'type'>): Pdu {
  const id = fields.id ?? (`$${fields.type}|${fields.stateKey ?? ''}` as EventId)
  const defaults = {
    roomId: room,
    sender: alice,
    content: {},
    prevEvents: [],
    authEvents: [],
    depth: 1,
    originServerTs: 0,
    json: {},
  }
  return { ...defaults, ...fields, id }
}

/** Returns a member event. */
export function memberEvent(sender: UserId, target: string, membership: string, content: JsonObject = {}): Pdu {
  const prevEvents = ['$before' as EventId]
  return event({ type: 'm.room.member', sender, stateKey: target, content: { membership, ...content }, prevEvents })
}

/** A room's state in a few words. */
export interface RoomSketch {
  readonly create?: JsonObject
  readonly members?: Readonly<Record<string, string>>
  readonly power?: Readonly<Record<string, number>>
  /** The other power levels; null for a room without a power levels event. */
  readonly levels?: JsonObject | null
  readonly joinRule?: string
  readonly others?: readonly Pdu[]
}

/** Returns the auth state of a room that alice made. */
export function stateOf(version: RoomVersion, sketch: RoomSketch = {}): AuthState {
  const { create = {}, members = {}, power = {}, levels = {}, joinRule, others = [] } = sketch
  const creator = version.auth.creatorIsSender ? {} : { creator: alice }
  const events = [
    event({ type: 'm.room.create', stateKey: '', content: { ...creator, ...create } }),
    ...Object.entries(members).map(([user, membership]) => memberEvent(user as UserId, user, membership)),
    ...(levels === null
      ? []
      : [event({ type: 'm.room.power_levels', stateKey: '', content: { ...levels, users: power } })]),
    ...(joinRule === undefined
      ? []
      : [event({ type: 'm.room.join_rules', stateKey: '', content: { join_rule: joinRule } })]),
    ...others,
  ]
  return new AuthState(version, new Map(events.map((each) => [stateKey(each.type, each.stateKey), each])))
}

/** Returns the draft of a message, valid in a version. */
export function draft(version: RoomVersion, fields: Partial<PduDraft> = {}): PduDraft {
  const chosen = version.eventIds === 'chosen by server'
  const id = (chosen ? '$before:one.test' : `$${'b'.repeat(43)}`) as EventId
  const roomId = version.roomIds === 'chosen by server' ? room : (`!${'r'.repeat(43)}` as RoomId)
  return {
    roomId,
    sender: alice,
    type: 'm.room.message',
    content: { msgtype: 'm.text', body: 'hello' },
    prevEvents: [id],
    authEvents: [id],
    hashes: new Map([[id, 'h'.repeat(43)]]),
    depth: 5,
    originServerTs: 1_700_000_000_000,
    ...fields,
  }
}
