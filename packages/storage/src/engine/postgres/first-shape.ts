// SPDX-License-Identifier: Apache-2.0
import type { Shape } from '../../schema/migrations/shape.ts'

/**
 * The shape that migration 0001 makes on this engine, frozen like it: databases of versions that recorded no checksums are
 * compared with it, without writing to them.
 */
export const FIRST_SHAPE: Shape = new Map([
  [
    'index access_tokens_by_device',
    'CREATE INDEX access_tokens_by_device ON access_tokens USING btree (user_id, device_id)',
  ],
  [
    'index account_data_by_position',
    'CREATE INDEX account_data_by_position ON account_data USING btree (user_id, "position")',
  ],
  ['index accounts_erased', 'CREATE INDEX accounts_erased ON accounts USING btree (user_id) WHERE is_erased = 1'],
  [
    'index device_list_changes_by_user',
    'CREATE INDEX device_list_changes_by_user ON device_list_changes USING btree (user_id, "position")',
  ],
  [
    'index events_by_parent',
    'CREATE INDEX events_by_parent ON events USING btree (relates_to, rel_type, "position", room_nid, sender_nid, status, redacted_by) WHERE relates_to IS NOT NULL',
  ],
  [
    'index events_by_request',
    'CREATE INDEX events_by_request ON events USING btree (txn_id, sender_nid, room_nid, txn_device, event_nid) WHERE txn_id IS NOT NULL',
  ],
  [
    'index events_by_room',
    'CREATE UNIQUE INDEX events_by_room ON events USING btree (room_nid, "position") WHERE "position" IS NOT NULL',
  ],
  ['index events_by_sender', 'CREATE INDEX events_by_sender ON events USING btree (room_nid, sender_nid, "position")'],
  [
    'index events_by_time',
    'CREATE INDEX events_by_time ON events USING btree (room_nid, origin_server_ts, "position") WHERE "position" IS NOT NULL',
  ],
  [
    'index events_for_all',
    'CREATE INDEX events_for_all ON events USING btree (room_nid, "position") WHERE notifies > 1',
  ],
  [
    'index events_in_threads',
    'CREATE INDEX events_in_threads ON events USING btree (room_nid, "position") WHERE thread_nid IS NOT NULL AND notifies > 0',
  ],
  [
    'index events_of_threads',
    `CREATE INDEX events_of_threads ON events USING btree (room_nid, "position") WHERE rel_type = 'm.thread'::text`,
  ],
  [
    'index events_redacted',
    'CREATE INDEX events_redacted ON events USING btree (room_nid, "position") WHERE redacted_by IS NOT NULL',
  ],
  ['index joins_under_way_by_room', 'CREATE INDEX joins_under_way_by_room ON joins_under_way USING btree (room_id)'],
  [
    'index media_pending_by_user',
    'CREATE INDEX media_pending_by_user ON media USING btree (user_id, unused_expires_ts)',
  ],
  ['index members_by_event', 'CREATE INDEX members_by_event ON members USING btree (event_nid)'],
  ['index members_by_user', 'CREATE INDEX members_by_user ON members USING btree (user_nid, membership)'],
  [
    'index one_time_keys_by_age',
    'CREATE INDEX one_time_keys_by_age ON one_time_keys USING btree (user_id, device_id, claimed, algorithm, nid)',
  ],
  ['index openid_tokens_by_age', 'CREATE INDEX openid_tokens_by_age ON openid_tokens USING btree (expires_ts)'],
  ['index openid_tokens_by_user', 'CREATE INDEX openid_tokens_by_user ON openid_tokens USING btree (user_id)'],
  [
    'index outgoing_device_list_news',
    'CREATE INDEX outgoing_device_list_news ON outgoing_device_lists USING btree (server_name, "position") WHERE "position" > told_position',
  ],
  ['index outgoing_edus_by_age', 'CREATE INDEX outgoing_edus_by_age ON outgoing_edus USING btree (queued_ts)'],
  [
    'index partial_events_by_room',
    'CREATE INDEX partial_events_by_room ON partial_events USING btree (room_nid, arrival)',
  ],
  ['index policy_entries_by_age', 'CREATE INDEX policy_entries_by_age ON policy_entries USING btree (since_ts)'],
  ['index policy_rulings_by_age', 'CREATE INDEX policy_rulings_by_age ON policy_rulings USING btree (ruled_ts)'],
  ['index presence_by_position', 'CREATE INDEX presence_by_position ON presence USING btree ("position")'],
  [
    'index presence_by_word',
    `CREATE INDEX presence_by_word ON presence USING btree (said_ts) WHERE state <> 'offline'::text`,
  ],
  ['index present_devices_by_end', 'CREATE INDEX present_devices_by_end ON present_devices USING btree (until_ts)'],
  ['index receipts_by_position', 'CREATE INDEX receipts_by_position ON receipts USING btree (room_nid, "position")'],
  [
    'index refresh_tokens_by_device',
    'CREATE INDEX refresh_tokens_by_device ON refresh_tokens USING btree (user_id, device_id)',
  ],
  [
    'index refresh_tokens_by_next',
    'CREATE INDEX refresh_tokens_by_next ON refresh_tokens USING btree (next_id) WHERE next_id IS NOT NULL',
  ],
  ['index relayed_events_by_age', 'CREATE INDEX relayed_events_by_age ON relayed_events USING btree (relayed_ts)'],
  ['index room_aliases_by_room', 'CREATE INDEX room_aliases_by_room ON room_aliases USING btree (room_nid)'],
  ['index rooms_by_size', 'CREATE INDEX rooms_by_size ON rooms USING btree (is_published, joined_count, room_nid)'],
  ['index rooms_unsettled', 'CREATE INDEX rooms_unsettled ON rooms USING btree (room_nid) WHERE is_unsettled = 1'],
  ['index staged_pdus_by_origin', 'CREATE INDEX staged_pdus_by_origin ON staged_pdus USING btree (origin, tries)'],
  [
    'index staged_pdus_by_room',
    'CREATE INDEX staged_pdus_by_room ON staged_pdus USING btree (room_id, tries, staged_nid)',
  ],
  ['index staged_pdus_by_time', 'CREATE INDEX staged_pdus_by_time ON staged_pdus USING btree (retry_ts, room_id)'],
  ['index state_keys_by_name', 'CREATE UNIQUE INDEX state_keys_by_name ON state_keys USING btree (state_key, type)'],
  ['index transactions_by_age', 'CREATE INDEX transactions_by_age ON transactions USING btree (created_ts)'],
  ['index uia_sessions_by_age', 'CREATE INDEX uia_sessions_by_age ON uia_sessions USING btree (created_ts)'],
  ['index user_words_by_user', 'CREATE INDEX user_words_by_user ON user_words USING btree (user_nid)'],
  ['index users_by_server', 'CREATE INDEX users_by_server ON users USING btree (server, user_nid)'],
  [
    'index wanted_device_lists_by_time',
    'CREATE INDEX wanted_device_lists_by_time ON wanted_device_lists USING btree (retry_ts)',
  ],
  [
    'table access_tokens',
    'token bytea not null, user_id text not null, device_id text not null, expires_ts bigint, refresh_id bigint, PRIMARY KEY (token)',
  ],
  [
    'table account_data',
    'user_id text not null, room_id text not null, type text not null, content text not null, position bigint not null, PRIMARY KEY (user_id, room_id, type)',
  ],
  [
    'table accounts',
    'user_id text not null, password_hash text, created_ts bigint not null, is_admin integer not null, is_guest integer not null, is_deactivated integer not null, is_erased integer not null, is_locked integer not null, is_suspended integer not null, PRIMARY KEY (user_id)',
  ],
  [
    'table backward_extremities',
    'room_nid bigint not null, event_id bytea not null, position double precision not null, PRIMARY KEY (room_nid, event_id)',
  ],
  [
    'table cross_signing_keys',
    'user_id text not null, usage text not null, key text not null, PRIMARY KEY (user_id, usage)',
  ],
  [
    'table destinations',
    'server_name text not null, position bigint not null, failing_since_ts bigint not null, retry_ts bigint not null, interval_ms bigint not null, PRIMARY KEY (server_name)',
  ],
  [
    'table device_keys',
    'user_id text not null, device_id text not null, keys text not null, position bigint not null, PRIMARY KEY (user_id, device_id)',
  ],
  [
    'table device_list_changes',
    'user_id text not null, position bigint not null, only_for text, PRIMARY KEY ("position", user_id)',
  ],
  [
    'table devices',
    'user_id text not null, device_id text not null, display_name text, last_seen_ts bigint, last_seen_ip text, user_agent text, created_ts bigint not null, PRIMARY KEY (user_id, device_id)',
  ],
  [
    'table early_redactions',
    'event_id bytea not null, redaction_nid bigint not null, PRIMARY KEY (event_id, redaction_nid)',
  ],
  [
    'table events',
    'event_nid bigint not null, event_id bytea not null, room_nid bigint not null, position double precision, depth bigint not null, type text not null, state_key text, sender_nid bigint not null, origin_server_ts bigint not null, state_before bigint not null, state_after bigint not null, room_root bigint not null, replaces_nid bigint, relates_to bytea, rel_type text, thread_nid bigint, notifies integer not null, notified bigint not null, status integer not null, redacted_by bigint, txn_device text, txn_id text, auth_nids text, pdu bytea not null, UNIQUE (event_id), PRIMARY KEY (event_nid)',
  ],
  [
    'table fallback_keys',
    'user_id text not null, device_id text not null, algorithm text not null, key_id text not null, key text not null, used integer not null, PRIMARY KEY (user_id, device_id, algorithm)',
  ],
  [
    'table filters',
    'user_id text not null, filter_id bigint not null, definition text not null, PRIMARY KEY (user_id, filter_id)',
  ],
  [
    'table highlights',
    'room_nid bigint not null, user_nid bigint not null, position bigint not null, PRIMARY KEY (room_nid, user_nid, "position")',
  ],
  [
    'table joins_under_way',
    'join_nid bigint not null, room_id text not null, room_version text not null, since_ts bigint not null, PRIMARY KEY (join_nid)',
  ],
  [
    'table key_backup_sessions',
    'user_id text not null, version bigint not null, room_id text not null, session_id text not null, first_message_index bigint not null, forwarded_count bigint not null, is_verified integer not null, session_data text not null, PRIMARY KEY (user_id, version, room_id, session_id)',
  ],
  [
    'table key_backups',
    'user_id text not null, version bigint not null, algorithm text not null, auth_data text not null, etag bigint not null, is_deleted integer not null, PRIMARY KEY (user_id, version)',
  ],
  [
    'table key_signatures',
    'signer text not null, signing_key_id text not null, target_user text not null, target_id text not null, signature text not null, PRIMARY KEY (target_user, target_id, signer, signing_key_id)',
  ],
  ['table log', 'position bigint not null'],
  [
    'table media',
    'server_name text not null, media_id text not null, user_id text, content_type text, file_name text, size_bytes bigint, sha256 bytea, created_ts bigint not null, unused_expires_ts bigint, is_authenticated_only integer not null, PRIMARY KEY (server_name, media_id)',
  ],
  [
    'table members',
    'room_nid bigint not null, user_nid bigint not null, membership text not null, event_nid bigint not null, position bigint not null, forgotten integer not null, stripped_state text, PRIMARY KEY (room_nid, user_nid)',
  ],
  ['table more_heads', 'room_nid bigint not null, event_nid bigint not null, PRIMARY KEY (room_nid, event_nid)'],
  ['table moves', 'position bigint not null, start bigint not null, topics text not null, PRIMARY KEY ("position")'],
  [
    'table one_time_keys',
    'user_id text not null, device_id text not null, algorithm text not null, key_id text not null, key text not null, nid bigint not null, claimed integer not null, PRIMARY KEY (user_id, device_id, algorithm, key_id)',
  ],
  [
    'table openid_tokens',
    'token bytea not null, user_id text not null, expires_ts bigint not null, PRIMARY KEY (token)',
  ],
  [
    'table outgoing_device_lists',
    'server_name text not null, user_id text not null, position bigint not null, told_position bigint not null, told text not null, PRIMARY KEY (server_name, user_id)',
  ],
  [
    'table outgoing_edus',
    'server_name text not null, nid bigint not null, edu text not null, queued_ts bigint not null, PRIMARY KEY (server_name, nid)',
  ],
  [
    'table partial_events',
    'event_nid bigint not null, room_nid bigint not null, arrival bigint not null, state_before bigint not null, state_after bigint not null, room_root bigint not null, replaces_nid bigint, status integer not null, PRIMARY KEY (event_nid)',
  ],
  [
    'table partial_rooms',
    'room_nid bigint not null, join_nid bigint not null, base_root bigint not null, full_root bigint not null, servers text not null, tries bigint not null, retry_ts bigint not null, left_ts bigint not null, PRIMARY KEY (room_nid)',
  ],
  [
    'table policy_entries',
    'room_nid bigint not null, user_nid bigint not null, since_ts bigint not null, PRIMARY KEY (room_nid, user_nid)',
  ],
  ['table policy_rulings', 'event_id bytea not null, refusal text, ruled_ts bigint not null, PRIMARY KEY (event_id)'],
  [
    'table presence',
    'user_nid bigint not null, state text not null, status_msg text, last_active_ts bigint not null, is_active integer not null, said_ts bigint not null, position bigint not null, PRIMARY KEY (user_nid)',
  ],
  [
    'table present_devices',
    'user_nid bigint not null, device_id text not null, state text not null, until_ts bigint not null, PRIMARY KEY (user_nid, device_id)',
  ],
  ['table profiles', 'user_id text not null, field text not null, value text not null, PRIMARY KEY (user_id, field)'],
  ['table push_rules', 'user_id text not null, rules text not null, position bigint not null, PRIMARY KEY (user_id)'],
  [
    'table readers',
    'name text not null, position bigint not null, holder text, node bigint, until bigint, PRIMARY KEY (name)',
  ],
  [
    'table receipts',
    'room_nid bigint not null, user_nid bigint not null, kind text not null, thread_id text not null, event_id text not null, event_position bigint not null, ts bigint not null, position bigint not null, PRIMARY KEY (room_nid, user_nid, kind, thread_id)',
  ],
  [
    'table refresh_tokens',
    'refresh_id bigint not null, token bytea not null, user_id text not null, device_id text not null, expires_ts bigint, session_expires_ts bigint, next_id bigint, PRIMARY KEY (refresh_id), UNIQUE (token)',
  ],
  ['table relayed_events', 'event_nid bigint not null, relayed_ts bigint not null, PRIMARY KEY (event_nid)'],
  [
    'table remote_device_lists',
    'user_id text not null, stream_id bigint not null, position bigint not null, list text not null, PRIMARY KEY (user_id)',
  ],
  [
    'table reports',
    'report_nid bigint not null, reporter text not null, room_id text not null, event_id text not null, target text not null, reason text not null, received_ts bigint not null, PRIMARY KEY (report_nid)',
  ],
  [
    'table room_aliases',
    'alias text not null, room_nid bigint not null, creator text not null, created_ts bigint not null, PRIMARY KEY (alias)',
  ],
  [
    'table rooms',
    'room_nid bigint not null, room_id text not null, room_version text not null, extremities text not null, depth bigint not null, state_root bigint not null, opened bigint not null, last_position bigint not null, joined_count bigint not null, invited_count bigint not null, is_published integer not null, notified bigint not null, last_hole double precision not null, head_count bigint not null, is_unsettled integer not null, last_move bigint not null, is_partial integer not null, whole_position bigint not null, provisional_root bigint not null, PRIMARY KEY (room_nid), UNIQUE (room_id)',
  ],
  ['table schema_version', 'version bigint not null'],
  [
    'table server_key_answers',
    'server_name text not null, answer_ts bigint not null, answer text not null, PRIMARY KEY (server_name, answer_ts)',
  ],
  [
    'table server_keys',
    'server_name text not null, key_id text not null, public_key bytea not null, valid_until_ts bigint not null, is_old integer not null, answer_ts bigint not null, PRIMARY KEY (server_name, key_id)',
  ],
  ['table settings', 'name text not null, value text not null, PRIMARY KEY (name)'],
  [
    'table staged_pdus',
    'staged_nid bigint not null, origin text not null, room_id text not null, received_ts bigint not null, tries bigint not null, retry_ts bigint not null, pdu text not null, PRIMARY KEY (staged_nid)',
  ],
  ['table state_keys', 'key_nid bigint not null, type text not null, state_key text not null, PRIMARY KEY (key_nid)'],
  [
    'table state_moves',
    'room_nid bigint not null, position double precision not null, state_root bigint not null, PRIMARY KEY (room_nid, "position")',
  ],
  [
    'table state_nodes',
    'node_nid bigint not null, hash bytea not null, body bytea not null, UNIQUE (hash), PRIMARY KEY (node_nid)',
  ],
  [
    'table to_device',
    'user_id text not null, device_id text not null, position bigint not null, message text not null, PRIMARY KEY (user_id, device_id, "position")',
  ],
  [
    'table transactions',
    'request bytea not null, answer text not null, created_ts bigint not null, PRIMARY KEY (request)',
  ],
  [
    'table uia_sessions',
    'session text not null, operation text not null, user_id text not null, completed text not null, body text not null, created_ts bigint not null, PRIMARY KEY (session)',
  ],
  ['table user_words', 'word bytea not null, user_nid bigint not null, PRIMARY KEY (word, user_nid)'],
  [
    'table users',
    'user_nid bigint not null, user_id text not null, server text not null, PRIMARY KEY (user_nid), UNIQUE (user_id)',
  ],
  [
    'table wanted_device_lists',
    'user_id text not null, tries bigint not null, retry_ts bigint not null, PRIMARY KEY (user_id)',
  ],
])
