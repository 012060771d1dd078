// SPDX-License-Identifier: Apache-2.0
import type { DirectoryRule, DirectorySettings, RoomPreset, RoomSettings } from '@myelin/kit/settings/rooms'
import { ROOM_VERSIONS } from '@myelin/rules/room-versions'
import { type Static, type TObject, Type } from 'typebox'
import { group, oneOf, type Reading, section } from '../values/section.ts'

const PRESETS = ['private_chat', 'public_chat', 'trusted_private_chat'] as const satisfies readonly RoomPreset[]
/** The presets that each word of `encryption_enabled_by_default_for_room_type` encrypts. */
const ENCRYPTED = { off: [], invite: ['private_chat', 'trusted_private_chat'], all: PRESETS } as const

const pattern = (about: string) => Type.Optional(Type.String({ description: `A glob of ${about}; all by default.` }))

function rules(description: string, examples: readonly unknown[]) {
  const rule = Type.Object(
    {
      user_id: pattern('user IDs'),
      room_id: pattern('room IDs'),
      alias: pattern('aliases'),
      action: oneOf(['allow', 'deny'], { description: `Whether the rule allows or denies.` }),
    },
    { additionalProperties: false },
  )
  return Type.Optional(Type.Array(rule, { description, examples: [examples] }))
}

const switchOf = (isOn: boolean, description: string) => Type.Boolean({ description, default: isOn })

const powerLevels = Type.Optional(
  Type.Unsafe<Readonly<Record<string, unknown>> | null>({
    type: ['object', 'null'],
    description: `Members of the power levels of such a room.`,
  }),
)

const fields = {
  default_room_version: Type.Unsafe<string | number>({
    type: ['string', 'integer'],
    description: `The room version of new rooms, if the client does not request one.`,
    takes: 'a room version',
    default: '12',
  }),
  default_power_level_content_override: group(
    { private_chat: powerLevels, public_chat: powerLevels, trusted_private_chat: powerLevels },
    {
      description: `Members of \`m.room.power_levels\` in new rooms, by preset. They replace those of the preset, and the client's own
replace them.`,
      default: {},
      examples: [{ public_chat: { events: { 'm.room.name': 100 } } }],
    },
  ),
  encryption_enabled_by_default_for_room_type: oneOf(['off', 'invite', 'all'], {
    description: `The new rooms that are encrypted although the client does not ask for it: none, those of the presets private_chat and
trusted_private_chat, or all.`,
    default: 'off',
  }),
  block_non_admin_invites: switchOf(false, `Whether only admins of the server may invite.`),
  enable_3pid_lookup: switchOf(
    true,
    `Whether users may invite by e-mail address and phone number; the identity server that they name is queried.`,
  ),
  show_time_of_invites: switchOf(
    true,
    `Whether the user's own member event has its ID and time in the invites and knocks of a sync. Otherwise it is stripped as the other
events are (MSC4319), as in Synapse since 1.163. (Synapse has no such setting.)`,
  ),
  forget_rooms_on_leave: switchOf(
    false,
    `Whether a room is forgotten by users of this server who leave it, or are kicked or banned by a user of this server.`,
  ),
  alias_creation_rules: rules(
    `Who may create an alias. The first rule that matches decides; where none does, it is denied. Without rules all are allowed.`,
    [{ user_id: '@bot:example.org', action: 'allow' }],
  ),
  room_list_publication_rules: rules(
    `Who may publish a room in the directory. The first rule that matches decides; where none does, it is denied. Without rules all are
allowed. (Synapse denies all without rules.)`,
    [{ room_id: '!abc:example.org', action: 'allow' }],
  ),
  require_membership_for_aliases: switchOf(true, `Whether only members of a room may create an alias for it.`),
  enable_room_list_search: switchOf(
    true,
    `Whether clients get rooms from room directories; otherwise all lists are empty.`,
  ),
  allow_public_rooms_without_auth: switchOf(
    false,
    `Whether the room directory of this server can be read without an access token.`,
  ),
  user_directory: group(
    {
      enabled: switchOf(true, `Whether users can search for users; otherwise nobody is found.`),
      search_all_users: switchOf(
        false,
        `Whether all users of this server are found who are in a room. Otherwise the room must be public, or one of the searcher's.`,
      ),
      prefer_local_users: switchOf(false, `Whether users of this server come first.`),
      exclude_remote_users: switchOf(false, `Whether users of other servers are left out.`),
      show_locked_users: switchOf(false, `Whether locked users are found.`),
    },
    { description: `The search for users.`, default: {} },
  ),
}

type Values = Static<TObject<typeof fields>>

/** Settings of rooms and of the directories. */
export const rooms = section({
  title: 'Rooms and directories',
  fields,
  read(values, reading) {
    return {
      rooms: {
        defaultVersion: roomVersionOf(values.default_room_version, reading),
        powerLevels: powerLevelsOf(values.default_power_level_content_override),
        encryptedPresets: ENCRYPTED[values.encryption_enabled_by_default_for_room_type],
        allowsThirdPartyInvites: values.enable_3pid_lookup,
        blocksInvites: values.block_non_admin_invites,
        datesOffers: values.show_time_of_invites,
        forgetsOnLeave: values.forget_rooms_on_leave,
        aliasRules: rulesOf(values.alias_creation_rules),
        publicationRules: rulesOf(values.room_list_publication_rules),
        aliasesNeedMembership: values.require_membership_for_aliases,
      } satisfies RoomSettings,
      directory: {
        listsRooms: values.enable_room_list_search,
        listsRoomsWithoutToken: values.allow_public_rooms_without_auth,
        listsUsers: values.user_directory.enabled,
        findsAllUsers: values.user_directory.search_all_users,
        prefersLocalUsers: values.user_directory.prefer_local_users,
        excludesRemoteUsers: values.user_directory.exclude_remote_users,
        showsLockedUsers: values.user_directory.show_locked_users,
      } satisfies DirectorySettings,
    }
  },
})

function rulesOf(written: Values['alias_creation_rules']): DirectoryRule[] | undefined {
  return written?.map(({ user_id: userId = '*', room_id: roomId = '*', alias = '*', action }) => ({
    userId,
    roomId,
    alias,
    isAllowed: action === 'allow',
  }))
}

function powerLevelsOf(written: Values['default_power_level_content_override']): RoomSettings['powerLevels'] {
  return Object.fromEntries(PRESETS.flatMap((preset) => (written[preset] ? [[preset, written[preset]]] : [])))
}

function roomVersionOf(value: string | number, reading: Reading): string {
  const version = String(value)
  if (!ROOM_VERSIONS.has(version)) {
    reading.fault('default_room_version', `must be one of ${[...ROOM_VERSIONS.keys()].join(', ')}`)
  }
  return version
}
