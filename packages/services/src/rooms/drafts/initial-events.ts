// SPDX-License-Identifier: Apache-2.0
import type { RoomSettings } from '@myelin/kit/settings/rooms'
import type { RoomAlias, UserId } from '@myelin/matrix/ids'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { RoomVersion } from '@myelin/rules/room-versions'

/** A client's request for a new room. */
export interface RoomCreationRequest {
  readonly roomVersion?: string
  readonly preset?: 'private_chat' | 'public_chat' | 'trusted_private_chat'
  readonly visibility: 'public' | 'private'
  readonly roomAliasName?: string
  readonly name?: string
  readonly topic?: string
  readonly invite: readonly UserId[]
  readonly isDirect: boolean
  readonly creationContent: JsonObject
  readonly initialState: readonly InitialEvent[]
  readonly powerLevels?: JsonObject
  /** The server itself makes the room: no rate limit applies. */
  readonly isOfServer?: boolean
}

/** A state event of a room that is being made. */
export interface InitialEvent {
  readonly type: string
  readonly stateKey: string
  readonly content: JsonObject
}

/** The decisions before the first state is written. */
export interface Creation {
  readonly version: RoomVersion
  readonly creator: UserId
  readonly alias: RoomAlias | undefined
  readonly settings: Pick<RoomSettings, 'powerLevels' | 'encryptedPresets'>
}

const ENCRYPTION = { algorithm: 'm.megolm.v1.aes-sha2' }
const PRESETS = {
  private_chat: ['invite', 'shared', 'can_join'],
  trusted_private_chat: ['invite', 'shared', 'can_join'],
  public_chat: ['public', 'shared', 'forbidden'],
} as const

/**
 * Returns the state events of a new room after its creator's join, in the spec's order: power levels, canonical alias,
 * the preset, the client's initial state, name and topic.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#creation
 */
export function initialEvents(request: RoomCreationRequest, creation: Creation): InitialEvent[] {
  const events = [state('m.room.power_levels', powerLevels(request, creation))]
  if (creation.alias !== undefined) events.push(state('m.room.canonical_alias', { alias: creation.alias }))
  events.push(...presetEvents(request))
  if (creation.settings.encryptedPresets.includes(presetOf(request)))
    events.push(state('m.room.encryption', ENCRYPTION))
  events.push(...request.initialState)
  if (request.name !== undefined) events.push(state('m.room.name', { name: request.name }))
  if (request.topic !== undefined) events.push(state('m.room.topic', topicContent(request.topic)))
  return lastOfEach(events)
}

/** Returns the last event of each key, but all power levels, which later events may depend on. */
function lastOfEach(events: readonly InitialEvent[]): InitialEvent[] {
  const name = (event: InitialEvent) => JSON.stringify([event.type, event.stateKey])
  const last = new Map(events.map((event, index) => [name(event), index]))
  return events.filter((event, index) => event.type === 'm.room.power_levels' || last.get(name(event)) === index)
}

function presetOf({ preset, visibility }: RoomCreationRequest): keyof typeof PRESETS {
  return preset ?? (visibility === 'public' ? 'public_chat' : 'private_chat')
}

function presetEvents(request: RoomCreationRequest): InitialEvent[] {
  const [joinRule, historyVisibility, guestAccess] = PRESETS[presetOf(request)]
  return [
    state('m.room.join_rules', { join_rule: joinRule }),
    state('m.room.history_visibility', { history_visibility: historyVisibility }),
    state('m.room.guest_access', { guest_access: guestAccess }),
  ]
}

/**
 * Returns the power levels of a new room. In a public room the level to invite is that of a moderator: the room may
 * become restricted, where inviting lets users in.
 */
function powerLevels(request: RoomCreationRequest, { version, creator, settings }: Creation): JsonObject {
  const isPublic = presetOf(request) === 'public_chat'
  const users: Record<string, Json> = {}
  if (!version.auth.creatorsOutrankEveryone) {
    users[creator] = 100
    if (request.preset === 'trusted_private_chat') for (const invited of request.invite) users[invited] = 100
  }
  const events: Record<string, Json> = {
    'm.room.name': 50,
    'm.room.power_levels': 100,
    'm.room.history_visibility': 100,
    'm.room.canonical_alias': 50,
    'm.room.avatar': 50,
    'm.room.tombstone': version.auth.creatorsOutrankEveryone ? 150 : 100,
    'm.room.server_acl': 100,
    'm.room.encryption': 100,
    ...(isPublic ? { 'm.call.invite': 50 } : {}),
  }
  return {
    users,
    users_default: 0,
    events,
    events_default: 0,
    state_default: 50,
    ban: 50,
    kick: 50,
    redact: 50,
    invite: isPublic ? 50 : 0,
    historical: 100,
    ...(settings.powerLevels[presetOf(request)] as JsonObject | undefined),
    ...request.powerLevels,
  }
}

function topicContent(topic: string): JsonObject {
  return { topic, 'm.topic': { 'm.text': [{ mimetype: 'text/plain', body: topic }] } }
}

const state = (type: string, content: JsonObject): InitialEvent => ({ type, stateKey: '', content })
