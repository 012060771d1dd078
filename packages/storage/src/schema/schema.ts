// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomAlias, RoomId, ServerName, UserId } from '@myelin/matrix/ids'

/** A place in the log: the total order in which this server learned things. */
export type Position = number
/** The number storage gives a name (room, user, event, state key, trie node). Drawn from the log, so unique among all of them; never leaves storage. */
export type Nid = number
/** Bytes as both engines return them. */
export type Bytes = Uint8Array

/** Every table on one page. `migrations/` says how they came to be; this says what they are now. Times are ms, flags 0/1, JSON is text. */
export interface Tables {
  /** One row: the last position taken. */
  log: { position: Position }
  /** What the last commits moved, a row each, written where several nodes share the database. */
  moves: { position: Position; start: Position; topics: string }
  settings: { name: string; value: string }
  /** `holder` reads until `until`, on the node of this number; free where they are null. */
  readers: { name: string; position: Position; holder: string | null; node: number | null; until: number | null }

  /**
   * `extremities` is a JSON list of event numbers, at most 20, the oldest of the `head_count` heads of the room's graph; `opened` counts the changes of the row and is the version its cached forms go by; behind `last_hole` no
   * history is missing. `is_unsettled`: `state_root` is not what all the heads come to, which somebody works out; it last
   * moved without an event at `last_move`. While `is_partial`, most members are not known; at `whole_position` they became so, and
   * `provisional_root` was the state until then.
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
  }
  users: { user_nid: Nid; user_id: UserId; server: ServerName }
  state_keys: { key_nid: Nid; type: string; state_key: string }
  state_nodes: { node_nid: Nid; hash: Bytes; body: Bytes }
  /**
   * `position` is null for outliers: events we hold but that have no place in the timeline. `room_root` is the room's
   * current state once the event had arrived, which forks may make another than the state after the event; of one that
   * was soft-failed, the state that did not want it. `notified`
   * counts the events of the room's main timeline, up to and with this one, that notify whoever keeps the default rules.
   * Positions that are not whole numbers, or below zero, are of events fetched from other servers' histories. `state_after` 0 means that the state is
   * not known. `auth_nids` is a JSON list of the events a state event names as its `auth_events`,
   * with a 0 for each that was not there when it was written.
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
  /** The heads of a room's graph beyond those that its row lists. */
  more_heads: { room_nid: Nid; event_nid: Nid }
  /** Where a room's current state moved without an event: a split room's heads were resolved. Positions are doubles, as they are compared with such. */
  state_moves: { room_nid: Nid; position: Position; state_root: Nid }
  /** Events that are named as `prev_events` by one in our timeline and have no place there themselves: where history has holes. */
  backward_extremities: { room_nid: Nid; event_id: Bytes; position: Position }
  /** Redactions that arrived before what they redact. */
  early_redactions: { event_id: Bytes; redaction_nid: Nid }
  /**
   * What other servers sent and we acknowledged, until it is judged; in order of arrival. What could not be judged, as
   * what it rests on was not to be had, is tried again at `retry_ts`, after so many `tries`; both are 0 before the first.
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
  /** Rooms that users of ours are about to enter through other servers: what comes for them meanwhile is kept. */
  joins_under_way: { join_nid: Nid; room_id: RoomId; room_version: string; since_ts: number }
  /**
   * Rooms we entered without being told their members: the join, the state before it as it was shown and, once it was
   * fetched, whole (0 until then); `servers` is a JSON list of those said to be there; the next try is at `retry_ts`.
   * Since `left_ts` nobody of ours is there; 0 while somebody is.
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
   * Events of such rooms whose states are provisional, in order of arrival; what they come to with the members, until
   * it takes the place of what `events` says. `state_after` 0 means that it is not worked out yet.
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
  /** Servers that have not got everything yet: what came up to `position` they have; the rest they get at `retry_ts` or when we hear from them. */
  destinations: {
    server_name: ServerName
    position: Position
    failing_since_ts: number
    retry_ts: number
    interval_ms: number
  }
  /** EDUs that must not get lost, until their server took them; in the order of writing. */
  outgoing_edus: { server_name: ServerName; nid: Nid; edu: string; queued_ts: number }
  /** What a server was told of a user's devices (`told`, a digest of each, as JSON) as of `told_position`; where `position` is larger, there is news. */
  outgoing_device_lists: {
    server_name: ServerName
    user_id: UserId
    position: Position
    told_position: Position
    told: string
  }
  /** The devices of users of other servers, as JSON, as of a stream id of theirs; `position` is from where on we follow them. */
  remote_device_lists: { user_id: UserId; stream_id: number; position: Position; list: string }
  /** Users of other servers whose devices are to be fetched, how often that failed, and when it is tried next. */
  wanted_device_lists: { user_id: UserId; tries: number; retry_ts: number }
  /** Events of other servers' users that came to us to be sent on to the room. */
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
  /** Who answered which request: `request` is a hash of user, device, endpoint and transaction id. */
  transactions: { request: Bytes; answer: string; created_ts: number }
  room_aliases: { alias: RoomAlias; room_nid: Nid; creator: UserId; created_ts: number }
  /** How present people are; `last_active_ts` is 0 where that was never told. */
  presence: {
    user_nid: Nid
    state: string
    status_msg: string | null
    last_active_ts: number
    is_active: number
    said_ts: number
    position: Position
  }
  /** The devices our users are present on; behind `until_ts` nobody vouches for it. */
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
  /** `next_id` is set once the token was spent; the pair dies when its successor is first used. */
  refresh_tokens: {
    refresh_id: Nid
    token: Bytes
    user_id: UserId
    device_id: string
    expires_ts: number | null
    session_expires_ts: number | null
    next_id: Nid | null
  }
  /** Tokens that prove to others who somebody is, and log nobody in. */
  openid_tokens: { token: Bytes; user_id: UserId; expires_ts: number }
  /** What people told the admins of, in order; `event_id`, `room_id` and `target` are empty where the report is not about one. */
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

  /** What this server said as a policy server of an event that is to enter a room: `refusal` is null where it signed. */
  policy_rulings: { event_id: Bytes; refusal: string | null; ruled_ts: number }
  /** Since when somebody may have been in a room, by our clock: their join was signed by us as its policy server. */
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
  /** Signatures others (or the user's own keys) made over a device or a cross-signing key, kept apart from what was uploaded. */
  key_signatures: {
    signer: UserId
    signing_key_id: string
    target_user: UserId
    target_id: string
    signature: string
  }
  /** `only_for` is set where nobody else may learn of the change: a user signed somebody's key. */
  device_list_changes: { user_id: UserId; position: Position; only_for: UserId | null }
  to_device: { user_id: UserId; device_id: string; position: Position; message: string }
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
  }
}
