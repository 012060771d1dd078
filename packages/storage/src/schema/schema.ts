// SPDX-License-Identifier: Apache-2.0
import type { DehydratedTables } from './dehydrated-tables.ts'
import type { DelayedTables } from './delayed-tables.ts'
import type { NetworkTables } from './network-tables.ts'
import type { OwedTables } from './owed-tables.ts'
import type { PreviewTables } from './preview-tables.ts'
import type { RegistrationTables } from './registration-tables.ts'
import type { SearchTables } from './search-tables.ts'
import type { StickyTables } from './sticky-tables.ts'
import type { NotificationTables } from './notification-tables.ts'
import type { Bytes, Nid, Position } from './scalars.ts'
import type { EventId, RoomAlias, RoomId, ServerName, UserId } from '@myelin/matrix/ids'

export type { Bytes, Nid, Position } from './scalars.ts'

/** All tables. Times are in ms, flags are 0 or 1, JSON is text. The history is in `migrations/`. */
export interface Tables
  extends NotificationTables,
    PreviewTables,
    DelayedTables,
    StickyTables,
    DehydratedTables,
    OwedTables,
    RegistrationTables,
    NetworkTables,
    SearchTables {
  /** One row: the last position taken. */
  log: { position: Position }
  /** The change log: the topics that each of the last commits touched. Written on PostgreSQL, for the other nodes. */
  moves: { position: Position; start: Position; topics: string }
  settings: { name: string; value: string }
  /** `holder` reads until `until`, on the node of this number; free where they are null. */
  readers: { name: string; position: Position; holder: string | null; node: number | null; until: number | null }

  /**
   * `extremities`: a JSON list of the numbers of the oldest 20 of the room's `head_count` forward extremities. `opened` counts
   * the changes of the row. History has no gap after `last_hole`. `is_unsettled`: the forward extremities are still to be
   * resolved into `state_root`; it last changed without an event at `last_move`. `is_partial`: most members are not known
   * yet; they became known at `whole_position`, and `provisional_root` was the state until then. `bump_position`: the last
   * event that moves the room up in the lists of clients; 0 where there is none.
   */
  rooms: {
    room_nid: Nid
    room_id: RoomId
    room_version: string
    extremities: string
    depth: number
    state_root: Nid
    opened: number
    last_position: Position
    joined_count: number
    invited_count: number
    is_published: number
    notified: number
    last_hole: Position
    is_partial: number
    whole_position: Position
    provisional_root: Nid
    head_count: number
    is_unsettled: number
    last_move: Position
    bump_position: Position
  }
  users: { user_nid: Nid; user_id: UserId; server: ServerName }
  state_keys: { key_nid: Nid; type: string; state_key: string }
  state_nodes: { node_nid: Nid; hash: Bytes; body: Bytes }
  /**
   * `position`: null for outliers; positions that are negative or not whole are of backfilled events. `room_root`: the room's
   * current state once the event had arrived, which may differ from `state_after` where the graph is forked; of a
   * soft-failed event, the state it failed against. `notified`: how many events of the main timeline, up to this one,
   * notify users with the default push rules. `state_after` 0: the state is not known. `auth_nids`: a JSON list of the
   * numbers of a state event's `auth_events`, with a 0 for each that was missing when it was written.
   */
  events: {
    event_nid: Nid
    event_id: Bytes
    room_nid: Nid
    position: Position | null
    depth: number
    type: string
    state_key: string | null
    sender_nid: Nid
    origin_server_ts: number
    state_before: Nid
    state_after: Nid
    room_root: Nid
    replaces_nid: Nid | null
    relates_to: Bytes | null
    rel_type: string | null
    thread_nid: Nid | null
    notifies: number
    notified: number
    status: number
    redacted_by: Nid | null
    txn_device: string | null
    txn_id: string | null
    auth_nids: string | null
    pdu: Bytes
  }
  /** The forward extremities of a room beyond those that its row lists. */
  more_heads: { room_nid: Nid; event_nid: Nid }
  /** Positions at which a room's current state changed without an event, because its forward extremities were resolved. Doubles, since they are compared with positions of events. */
  state_moves: { room_nid: Nid; position: Position; state_root: Nid }
  /** Missing events that events of our timeline name in `prev_events`: gaps of history. */
  backward_extremities: { room_nid: Nid; event_id: Bytes; position: Position }
  /** Redactions that arrived before the event they redact. */
  early_redactions: { event_id: Bytes; redaction_nid: Nid }
  /**
   * PDUs that were acknowledged and are still to be processed, in order of arrival. Events whose prerequisites could not be
   * fetched are retried at `retry_ts`, after `tries` attempts; both are 0 before the first.
   */
  staged_pdus: {
    staged_nid: Nid
    origin: ServerName
    room_id: RoomId
    pdu: string
    received_ts: number
    tries: number
    retry_ts: number
  }
  /** Rooms that local users are joining through other servers; PDUs for them are kept meanwhile. */
  joins_under_way: { join_nid: Nid; room_id: RoomId; room_version: string; since_ts: number }
  /**
   * Rooms that were joined with partial state: the join, the state before it as the join answer had it, and that state
   * in full once it is fetched (0 until then). `servers`: a JSON list of the servers that the answer named. The next attempt
   * is at `retry_ts`. `left_ts`: when the last local user left; 0 while one is joined.
   */
  partial_rooms: {
    room_nid: Nid
    join_nid: Nid
    base_root: Nid
    full_root: Nid
    servers: string
    tries: number
    retry_ts: number
    left_ts: number
  }
  /**
   * Events of such rooms whose states are provisional, in order of arrival, with their recalculated states until these replace
   * those in `events`. `state_after` 0: not recalculated yet.
   */
  partial_events: {
    event_nid: Nid
    room_nid: Nid
    arrival: Nid
    state_before: Nid
    state_after: Nid
    room_root: Nid
    replaces_nid: Nid | null
    status: number
  }
  /**
   * Destinations that failed. They have received everything up to `position`; the rest is sent at `retry_ts`, or when a
   * request from them arrives.
   */
  destinations: {
    server_name: ServerName
    position: Position
    failing_since_ts: number
    retry_ts: number
    interval_ms: number
  }
  /** EDUs that are queued until their destination has received them, in order. */
  outgoing_edus: { server_name: ServerName; nid: Nid; edu: string; queued_ts: number }
  /**
   * The device list of a user as a server last received it (`told`: a digest of each device, as JSON), as of
   * `told_position`; changes are pending if `position` is larger.
   */
  outgoing_device_lists: {
    server_name: ServerName
    user_id: UserId
    position: Position
    told_position: Position
    told: string
  }
  /** Device lists of remote users, as JSON, as of a stream id of their server; tracked since `position`. */
  remote_device_lists: { user_id: UserId; stream_id: number; position: Position; list: string }
  /** Remote users whose device lists are to be fetched, the number of failed attempts, and when the next one is. */
  wanted_device_lists: { user_id: UserId; tries: number; retry_ts: number }
  /** Events of remote users that this server sends on to the room. */
  relayed_events: { event_nid: Nid; relayed_ts: number }
  /** `knock` and `invite` memberships keep what the user was shown in `stripped_state`. */
  members: {
    room_nid: Nid
    user_nid: Nid
    membership: string
    event_nid: Nid
    position: Position
    forgotten: number
    stripped_state: string | null
  }
  /** The words by which members of rooms are found, folded, in UTF-8. */
  user_words: { word: Bytes; user_nid: Nid }
  /** The answers to requests with a transaction id: `request` is a hash of user, device, endpoint and transaction id. */
  transactions: { request: Bytes; answer: string; created_ts: number }
  room_aliases: { alias: RoomAlias; room_nid: Nid; creator: UserId; created_ts: number }
  /** The presence of users; `last_active_ts` is 0 if unknown. */
  presence: {
    user_nid: Nid
    state: string
    status_msg: string | null
    last_active_ts: number
    is_active: number
    said_ts: number
    position: Position
  }
  /** The devices that local users are present on; a row is stale after `until_ts`. */
  present_devices: { user_nid: Nid; device_id: string; state: string; until_ts: number }
  receipts: {
    room_nid: Nid
    user_nid: Nid
    kind: string
    thread_id: string
    event_id: EventId
    event_position: Position
    ts: number
    position: Position
  }
  /** Events that highlight for one user; everything else about unread counts is computed from `events`. */
  highlights: { room_nid: Nid; user_nid: Nid; position: Position }

  accounts: {
    user_id: UserId
    password_hash: string | null
    created_ts: number
    is_admin: number
    is_guest: number
    is_deactivated: number
    is_erased: number
    is_locked: number
    is_suspended: number
  }
  profiles: { user_id: UserId; field: string; value: string }
  devices: {
    user_id: UserId
    device_id: string
    display_name: string | null
    last_seen_ts: number | null
    last_seen_ip: string | null
    user_agent: string | null
    created_ts: number
  }
  /** `expires_ts` null means never. `refresh_id` ties a token to the refresh token that was handed out with it. */
  access_tokens: {
    token: Bytes
    user_id: UserId
    device_id: string
    expires_ts: number | null
    refresh_id: Nid | null
  }
  /** `next_id` is set once the token was spent; the pair is deleted when its successor is first used. */
  refresh_tokens: {
    refresh_id: Nid
    token: Bytes
    user_id: UserId
    device_id: string
    expires_ts: number | null
    session_expires_ts: number | null
    next_id: Nid | null
  }
  /** OpenID tokens: they prove a user's identity to third parties and give no access. */
  openid_tokens: { token: Bytes; user_id: UserId; expires_ts: number }
  /** Reports to the admins, in order; `event_id`, `room_id` and `target` are empty where the report is not about one. */
  reports: {
    report_nid: Nid
    reporter: UserId
    room_id: string
    event_id: string
    target: string
    reason: string
    received_ts: number
  }
  uia_sessions: {
    session: string
    operation: string
    user_id: string
    completed: string
    body: string
    created_ts: number
  }

  /** This server's rulings as a policy server, by event; `refusal` is null where it signed. */
  policy_rulings: { event_id: Bytes; refusal: string | null; ruled_ts: number }
  /** The time at which this server, as the room's policy server, signed a user's join. */
  policy_entries: { room_nid: Nid; user_nid: Nid; since_ts: number }

  account_data: { user_id: UserId; room_id: string; type: string; content: string; position: Position }
  filters: { user_id: UserId; filter_id: number; definition: string }
  push_rules: { user_id: UserId; rules: string; position: Position }

  device_keys: { user_id: UserId; device_id: string; keys: string; position: Position }
  /** A key that was claimed stays for a while, so that an upload sent twice does not bring it back. */
  one_time_keys: {
    user_id: UserId
    device_id: string
    algorithm: string
    key_id: string
    key: string
    nid: Nid
    claimed: number
  }
  fallback_keys: { user_id: UserId; device_id: string; algorithm: string; key_id: string; key: string; used: number }
  cross_signing_keys: { user_id: UserId; usage: string; key: string }
  /**
   * Signatures by others, or by the user's own keys, on a device or a cross-signing key; stored apart from the uploaded
   * keys.
   */
  key_signatures: {
    signer: UserId
    signing_key_id: string
    target_user: UserId
    target_id: string
    signature: string
  }
  /** `only_for` is set where only that user may see the change: a signature by their user-signing key. */
  device_list_changes: { user_id: UserId; position: Position; only_for: UserId | null }
  to_device: { user_id: UserId; device_id: string; position: Position; message: string }
  /** The connections of sliding sync. `used_ts` is at most a day behind. */
  sliding_connections: {
    conn_nid: Nid
    user_id: UserId
    device_id: string
    conn_id: string
    used_ts: number
  }
  /**
   * Changes of what a sliding-sync connection was sent, as JSON, in the order of `serial`. A `pos` names the last one that it
   * includes. One with `is_whole` replaces all before it.
   */
  sliding_steps: { conn_nid: Nid; serial: Nid; is_whole: number; step: string }
  key_backups: {
    user_id: UserId
    version: number
    algorithm: string
    auth_data: string
    etag: number
    is_deleted: number
  }
  key_backup_sessions: {
    user_id: UserId
    version: number
    room_id: string
    session_id: string
    first_message_index: number
    forwarded_count: number
    is_verified: number
    session_data: string
  }

  /** Other servers' keys as far as they were vouched for. An old key (`is_old`) signed only before `valid_until_ts`, another one up to and with it. */
  server_keys: {
    server_name: ServerName
    key_id: string
    public_key: Bytes
    valid_until_ts: number
    is_old: number
    answer_ts: number
  }
  /** The documents in which servers published their keys, in canonical JSON, by the time we got them; kept while a key points there. */
  server_key_answers: { server_name: ServerName; answer_ts: number; answer: string }

  media: {
    server_name: ServerName
    media_id: string
    user_id: string | null
    content_type: string | null
    file_name: string | null
    size_bytes: number | null
    sha256: Bytes | null
    created_ts: number
    unused_expires_ts: number | null
    is_authenticated_only: number
    last_access_ts: number
  }
}
