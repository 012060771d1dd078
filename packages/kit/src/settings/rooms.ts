// SPDX-License-Identifier: Apache-2.0

/** The presets of a new room. */
export type RoomPreset = 'private_chat' | 'public_chat' | 'trusted_private_chat'

/** A rule of what users may do with the directory; the first rule that matches decides. Patterns are globs. */
export interface DirectoryRule {
  readonly userId: string
  readonly roomId: string
  readonly alias: string
  readonly isAllowed: boolean
}

/** Settings of rooms: their defaults, and the users who may create, name and publish them. */
export interface RoomSettings {
  readonly defaultVersion: string
  /** Members of the power levels of new rooms, by preset. */
  readonly powerLevels: Readonly<Partial<Record<RoomPreset, Readonly<Record<string, unknown>>>>>
  /** The presets whose rooms are encrypted from the beginning. */
  readonly encryptedPresets: readonly RoomPreset[]
  /** Users may invite by e-mail address and phone number, through an identity server. */
  readonly allowsThirdPartyInvites: boolean
  /** Only admins of the server may invite. */
  readonly blocksInvites: boolean
  /** The user's own member event has its ID and time in invites and knocks of a sync; otherwise it is stripped (MSC4319). */
  readonly datesOffers: boolean
  /** Rooms are forgotten when they are left. */
  readonly forgetsOnLeave: boolean
  /** The rules for creating aliases; undefined: every user may create every alias. */
  readonly aliasRules: readonly DirectoryRule[] | undefined
  /** The rules for publishing rooms; undefined: every room may be published. */
  readonly publicationRules: readonly DirectoryRule[] | undefined
  /** Only members of a room may give it an alias. */
  readonly aliasesNeedMembership: boolean
}

/** Access to the directories of rooms and users, and the scope of their results. */
export interface DirectorySettings {
  /** Clients may search for rooms. */
  readonly listsRooms: boolean
  /** The room directory needs no access token. */
  readonly listsRoomsWithoutToken: boolean
  /** Users may search for users. */
  readonly listsUsers: boolean
  /** Local users are found by those who share no room with them. */
  readonly findsAllUsers: boolean
  /** Local users come first. */
  readonly prefersLocalUsers: boolean
  readonly excludesRemoteUsers: boolean
  readonly showsLockedUsers: boolean
}

/** The rooms that new users join. */
export interface AutoJoinSettings {
  /** Aliases, or IDs. */
  readonly rooms: readonly string[]
  /** The first user makes rooms of this server that do not exist. */
  readonly createsRooms: boolean
  readonly areFederated: boolean
  readonly preset: RoomPreset
  /** The user who makes the rooms and invites to them; undefined for the first user. */
  readonly localpart: string | undefined
  readonly isForGuests: boolean
}

/** The user who sends server notices, and the rooms for them. */
export interface ServerNoticeSettings {
  readonly localpart: string
  readonly displayName: string | undefined
  readonly avatarUrl: string | undefined
  readonly roomName: string
  readonly roomAvatarUrl: string | undefined
  readonly roomTopic: string | undefined
  /** Users join the room at once; otherwise they are invited. */
  readonly joinsUsers: boolean
}
