// SPDX-License-Identifier: Apache-2.0
/**
 * The traits of a room version, named by their meaning; no other file compares versions.
 *
 * @see https://spec.matrix.org/v1.19/rooms/
 */
export interface RoomVersion {
  readonly id: string
  readonly eventIds: 'chosen by server' | 'hash' | 'url-safe hash'
  readonly roomIds: 'chosen by server' | 'hash of create event'
  readonly stateResolution: 'v1' | 'v2' | 'v2.1'
  readonly strictCanonicalJson: boolean
  readonly keysMustBeValidAtSigning: boolean
  /** A redaction names its target in `content.redacts`, not beside it. */
  readonly redactsInContent: boolean
  /**
   * `type` and `state_key` of another server may have 255 code points instead of bytes. The spec counts bytes; Synapse
   * accepted such events in these versions, so refusing them would split their rooms.
   */
  readonly countsCodePoints: boolean
  readonly auth: AuthTraits
  readonly redaction: RedactionTraits
}

/** The differences of the versions' authorization rules. */
interface AuthTraits {
  readonly aliasesBelongToServers: boolean
  readonly redactionsNeedPower: boolean
  readonly notificationLevelsAreGuarded: boolean
  readonly joinRules: readonly string[]
  readonly powerLevelsMustBeIntegers: boolean
  readonly creatorIsSender: boolean
  readonly creatorsOutrankEveryone: boolean
}

/** The content that survives a redaction. `'all'` keeps the whole content; a dotted path keeps one nested key. */
export interface RedactionTraits {
  readonly topLevel: readonly string[]
  readonly content: Readonly<Record<string, 'all' | readonly string[]>>
}

const LEVELS = ['ban', 'events', 'events_default', 'kick', 'redact', 'state_default', 'users', 'users_default']
const TOP_LEVEL = [
  'event_id',
  'type',
  'room_id',
  'sender',
  'state_key',
  'content',
  'hashes',
  'signatures',
  'depth',
  'prev_events',
  'auth_events',
  'origin_server_ts',
]

const v1: RoomVersion = {
  id: '1',
  eventIds: 'chosen by server',
  roomIds: 'chosen by server',
  stateResolution: 'v1',
  strictCanonicalJson: false,
  keysMustBeValidAtSigning: false,
  redactsInContent: false,
  countsCodePoints: true,
  auth: {
    aliasesBelongToServers: true,
    redactionsNeedPower: true,
    notificationLevelsAreGuarded: false,
    joinRules: ['public', 'invite', 'private'],
    powerLevelsMustBeIntegers: false,
    creatorIsSender: false,
    creatorsOutrankEveryone: false,
  },
  redaction: {
    topLevel: [...TOP_LEVEL, 'origin', 'membership', 'prev_state'],
    content: {
      'm.room.aliases': ['aliases'],
      'm.room.create': ['creator'],
      'm.room.history_visibility': ['history_visibility'],
      'm.room.join_rules': ['join_rule'],
      'm.room.member': ['membership'],
      'm.room.power_levels': LEVELS,
    },
  },
}

// Each line reads: "version N is version N-1, except…"
const v2 = after(v1, '2', { stateResolution: 'v2' })
const v3 = after(v2, '3', { eventIds: 'hash', auth: { redactionsNeedPower: false } })
const v4 = after(v3, '4', { eventIds: 'url-safe hash' })
const v5 = after(v4, '5', { keysMustBeValidAtSigning: true })
const v6 = after(v5, '6', {
  strictCanonicalJson: true,
  auth: { aliasesBelongToServers: false, notificationLevelsAreGuarded: true },
  redaction: { content: { 'm.room.aliases': [] } },
})
const v7 = after(v6, '7', { auth: { joinRules: ['public', 'invite', 'private', 'knock'] } })
const v8 = after(v7, '8', {
  auth: { joinRules: [...v7.auth.joinRules, 'restricted'] },
  redaction: { content: { 'm.room.join_rules': ['join_rule', 'allow'] } },
})
const v9 = after(v8, '9', {
  redaction: { content: { 'm.room.member': ['membership', 'join_authorised_via_users_server'] } },
})
const v10 = after(v9, '10', {
  auth: { powerLevelsMustBeIntegers: true, joinRules: [...v9.auth.joinRules, 'knock_restricted'] },
})
const v11 = after(v10, '11', {
  redactsInContent: true,
  countsCodePoints: false,
  auth: { creatorIsSender: true },
  redaction: {
    topLevel: TOP_LEVEL,
    content: {
      'm.room.create': 'all',
      'm.room.member': ['membership', 'join_authorised_via_users_server', 'third_party_invite.signed'],
      'm.room.power_levels': [...LEVELS, 'invite'],
      'm.room.redaction': ['redacts'],
    },
  },
})
const v12 = after(v11, '12', {
  roomIds: 'hash of create event',
  stateResolution: 'v2.1',
  auth: { creatorsOutrankEveryone: true },
})

/** All supported room versions, by name. */
export const ROOM_VERSIONS: ReadonlyMap<string, RoomVersion> = new Map(
  [v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12].map((version) => [version.id, version]),
)

/** Returns the room version of a name, undefined for an unknown one. */
export function roomVersion(id: string): RoomVersion | undefined {
  return ROOM_VERSIONS.get(id)
}

type Changes = Partial<Omit<RoomVersion, 'id' | 'auth' | 'redaction'>> & {
  readonly auth?: Partial<AuthTraits>
  readonly redaction?: Partial<RedactionTraits>
}

function after(base: RoomVersion, id: string, changes: Changes): RoomVersion {
  return {
    ...base,
    ...changes,
    id,
    auth: { ...base.auth, ...changes.auth },
    redaction: {
      topLevel: changes.redaction?.topLevel ?? base.redaction.topLevel,
      content: { ...base.redaction.content, ...changes.redaction?.content },
    },
  }
}
