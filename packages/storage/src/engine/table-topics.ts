// SPDX-License-Identifier: Apache-2.0
import type { Tables } from '../schema/schema.ts'
import { topics } from './topics.ts'

/** The writes that a rule applies to: inserts, deletes, and updates that set one of these columns. */
type WriteKind<Row> = 'insert' | 'delete' | (keyof Row & string)

/** A topic that a write to a table must touch, because rows are cached until the topic changes. */
export interface TopicRule<Row> {
  /** Returns the topic of a value of the column. */
  readonly topic: (key: never) => string
  readonly by: keyof Row & string
  /** The table whose numbers the column holds; `topic` gets the name of that row. */
  readonly nameIn?: 'users' | 'rooms'
  /** The writes that the rule applies to; all if absent. */
  readonly on?: readonly WriteKind<Row>[]
  /** Selects the rows that the rule applies to, from the columns that the write sets or compares. */
  readonly when?: (row: Partial<Row>) => boolean
}

/** The rule of tables whose rows are never cached by topic. */
export interface Uncached {
  /** The reason why no topic is needed. */
  readonly uncached: 'read each time' | 'never changes' | 'known by positions'
}

type Rules<Row> = readonly [TopicRule<Row>, ...TopicRule<Row>[]]

const readEachTime: Uncached = { uncached: 'read each time' }
const neverChanges: Uncached = { uncached: 'never changes' }
const knownByPositions: Uncached = { uncached: 'known by positions' }

const ofUser = (user: string) => user
const ofRoom = (room: string) => room

// Zero and positive integers are positions in the timeline; other values are before it.
const isInTimeline = (position: number | null | undefined) =>
  typeof position === 'number' && position > 0 && Number.isInteger(position)

/**
 * The topics that writes to each table must touch; a table without an entry does not compile. Tests fail a unit that writes
 * a table and does not touch its topics.
 */
export const tableTopics: { readonly [Table in keyof Tables]: Rules<Tables[Table]> | Uncached } = {
  log: knownByPositions,
  moves: knownByPositions,
  settings: readEachTime,
  readers: readEachTime,

  rooms: [
    {
      topic: ofRoom,
      by: 'room_id',
      // The columns that `cachedRoom` returns. Absent rooms are not cached.
      on: [
        'room_version',
        'depth',
        'last_hole',
        'last_move',
        'state_root',
        'last_position',
        'joined_count',
        'invited_count',
        'notified',
        'whole_position',
        'provisional_root',
        'is_partial',
        'bump_position',
      ],
    },
  ],
  users: neverChanges,
  state_keys: neverChanges,
  state_nodes: neverChanges,
  events: [
    {
      topic: ofRoom,
      by: 'room_nid',
      nameIn: 'rooms',
      on: ['insert', 'position'],
      when: ({ position }) => isInTimeline(position),
    },
    {
      topic: topics.history,
      by: 'room_nid',
      on: ['insert', 'position'],
      when: ({ position }) => typeof position === 'number' && !isInTimeline(position),
    },
    {
      topic: topics.related,
      by: 'room_nid',
      on: ['insert', 'relates_to'],
      when: ({ relates_to: parent }) => parent instanceof Uint8Array,
    },
    {
      topic: topics.threads,
      by: 'room_nid',
      nameIn: 'rooms',
      on: ['insert', 'position'],
      when: ({ position, thread_nid: thread, notifies = 0 }) =>
        isInTimeline(position) && typeof thread === 'number' && notifies > 0,
    },
    {
      topic: topics.loud,
      by: 'room_nid',
      nameIn: 'rooms',
      on: ['insert', 'position'],
      when: ({ position, notifies = 0 }) => isInTimeline(position) && notifies > 1,
    },
    // An event that gets a position is written with all columns, and was not cached before.
    {
      topic: topics.redacted,
      by: 'room_nid',
      on: ['redacted_by'],
      when: (row) => !('pdu' in row || 'position' in row),
    },
    {
      topic: topics.recast,
      by: 'room_nid',
      on: ['state_before', 'state_after', 'room_root'],
      when: (row) => !('pdu' in row || 'position' in row),
    },
  ],
  more_heads: readEachTime,
  state_moves: [{ topic: topics.recast, by: 'room_nid', on: ['delete'] }],
  backward_extremities: readEachTime,
  early_redactions: readEachTime,
  staged_pdus: readEachTime,
  joins_under_way: readEachTime,
  partial_rooms: [{ topic: ofRoom, by: 'room_nid', nameIn: 'rooms', on: ['insert', 'delete', 'servers'] }],
  partial_events: readEachTime,
  destinations: readEachTime,
  outgoing_edus: [{ topic: topics.waitingFor, by: 'server_name', on: ['insert'] }],
  outgoing_device_lists: [{ topic: topics.waitingFor, by: 'server_name', on: ['insert', 'position'] }],
  remote_device_lists: readEachTime,
  wanted_device_lists: readEachTime,
  relayed_events: readEachTime,
  network_rooms: readEachTime,
  members: [
    { topic: ofUser, by: 'user_nid', nameIn: 'users' },
    { topic: topics.members, by: 'room_nid', on: ['insert', 'delete', 'membership', 'position'] },
  ],
  user_words: readEachTime,
  transactions: readEachTime,
  room_aliases: readEachTime,
  presence: [
    { topic: () => topics.presence, by: 'user_nid' },
    { topic: topics.presenceOf, by: 'user_nid', nameIn: 'users' },
  ],
  present_devices: readEachTime,
  receipts: [
    { topic: topics.readIn, by: 'room_nid', nameIn: 'rooms' },
    { topic: topics.readBy, by: 'user_nid', nameIn: 'users' },
  ],
  // Without this rule, a removed highlight would be counted until its owner's next receipt.
  highlights: [{ topic: topics.named, by: 'user_nid', nameIn: 'users', on: ['insert'] }],

  accounts: [
    { topic: topics.account, by: 'user_id' },
    { topic: () => topics.erased, by: 'user_id', on: ['is_erased'], when: (row) => row.is_erased !== 0 },
  ],
  profiles: readEachTime,
  profile_changes: [{ topic: ofUser, by: 'user_id', on: ['insert', 'position'] }],
  devices: [{ topic: topics.account, by: 'user_id' }],
  access_tokens: [{ topic: topics.account, by: 'user_id' }],
  refresh_tokens: [{ topic: topics.account, by: 'user_id' }],
  openid_tokens: readEachTime,
  reports: readEachTime,
  uia_sessions: readEachTime,
  registration_tokens: readEachTime,
  registration_token_uses: readEachTime,
  policy_rulings: readEachTime,
  policy_entries: readEachTime,

  account_data: [{ topic: ofUser, by: 'user_id' }],
  filters: neverChanges,
  push_rules: [{ topic: ofUser, by: 'user_id' }],
  delayed_events: [{ topic: () => topics.delayedEvents, by: 'user_id', on: ['insert', 'due_ts'] }],
  sticky_events: [
    { topic: () => topics.stickyEvents, by: 'room_nid', on: ['insert', 'position'] },
    {
      topic: topics.sticky,
      by: 'room_nid',
      nameIn: 'rooms',
      on: ['insert', 'position'],
      when: ({ position }) => isInTimeline(position),
    },
  ],
  owed_redactions: [{ topic: () => topics.owedWork, by: 'event_nid', on: ['insert'] }],
  owed_invites: [{ topic: () => topics.owedWork, by: 'user_id', on: ['insert'] }],
  owed_guest_checks: [{ topic: () => topics.owedWork, by: 'room_nid', on: ['insert'] }],
  delegated_leaves: [{ topic: () => topics.delegatedLeaves, by: 'user_id', on: ['insert'] }],
  thread_subscriptions: [{ topic: ofUser, by: 'user_id', on: ['insert', 'is_subscribed', 'is_automatic', 'position'] }],
  pushers: [
    { topic: () => topics.anyPusher, by: 'user_id', on: ['insert', 'delete', 'is_enabled'] },
    { topic: topics.pushers, by: 'user_id', on: ['insert', 'delete', 'data', 'is_enabled', 'position', 'device_id'] },
  ],

  dehydrated_devices: readEachTime,
  device_keys: readEachTime,
  one_time_keys: [{ topic: topics.keys, by: 'user_id', when: (row) => row.claimed !== 1 }],
  fallback_keys: [{ topic: topics.keys, by: 'user_id' }],
  cross_signing_keys: readEachTime,
  key_signatures: readEachTime,
  device_list_changes: [
    { topic: ofUser, by: 'user_id', on: ['insert'], when: (row) => row.only_for === null },
    { topic: ofUser, by: 'only_for', on: ['insert'], when: (row) => typeof row.only_for === 'string' },
  ],
  to_device: [{ topic: ofUser, by: 'user_id', on: ['insert'] }],
  sliding_connections: [{ topic: topics.sliding, by: 'user_id' }],
  sliding_steps: neverChanges,
  key_backups: readEachTime,
  key_backup_sessions: readEachTime,

  server_keys: [{ topic: topics.keysOfServer, by: 'server_name' }],
  server_key_answers: [{ topic: topics.keysOfServer, by: 'server_name' }],
  media: readEachTime,
  url_previews: readEachTime,
  preview_images: readEachTime,

  search_entries: readEachTime,
  search_due: readEachTime,
}
