// SPDX-License-Identifier: Apache-2.0

const NOT_NEEDED = 'Myelin has no use for it'

/** Settings of Synapse that do no harm when they have no effect: each with the reason, which is logged. */
export const WITHOUT_EFFECT: ReadonlyMap<string, string> = new Map([
  ['log_config', 'use log_level and log_format'],
  ['report_stats', 'Myelin reports to nobody'],
  ['macaroon_secret_key', 'tokens are random words, not macaroons'],
  ['macaroon_secret_key_path', 'tokens are random words, not macaroons'],
  ['suppress_key_server_warning', 'nobody is warned'],
  ['bcrypt_rounds', 'passwords are hashed with Argon2id'],
  ...['form_secret', 'form_secret_path', 'pid_file', 'daemonize', 'print_pidfile'].map(because(NOT_NEEDED)),
  ...['soft_file_limit', 'gc_thresholds', 'gc_min_interval', 'use_frozen_dicts'].map(because(NOT_NEEDED)),
  ['send_federation', 'every node sends'],
])

/** Settings of Synapse that would be missed when they had no effect: a configuration that has one is refused. */
export const NOT_BUILT: ReadonlySet<string> = new Set(
  `account_threepid_delegates alias_creation_rules allow_per_room_profiles
  allow_public_rooms_without_auth
  allow_underscore_prefixed_registration allowed_avatar_mimetypes allowed_local_3pids app_service_config_files
  auto_accept_invites auto_join_mxid_localpart auto_join_rooms auto_join_rooms_for_guests
  autocreate_auto_join_room_preset autocreate_auto_join_rooms autocreate_auto_join_rooms_federated background_updates
  block_non_admin_invites cas_config databases default_identity_server default_power_level_content_override
  delete_stale_devices_after disable_msisdn_registration dummy_events_threshold dynamic_thumbnails email
  enable_3pid_changes enable_3pid_lookup enable_local_media_storage enable_media_repo
  enable_registration_captcha enable_room_list_search enable_search encryption_enabled_by_default_for_room_type
  exclude_rooms_from_presence exclude_rooms_from_sync experimental_features 
  federation_metrics_domains
  federation_rr_transactions_per_room_per_second federation_sender_instances federation_whitelist_endpoint_enabled
  filter_timeline_limit forget_rooms_on_leave forgotten_room_retention_period hs_disabled hs_disabled_message
  include_profile_data_on_invite inhibit_user_in_use_error instance_map jwt_config
  limit_profile_requests_to_users_who_share_rooms limit_remote_rooms limit_usage_by_mau
  login_via_existing_session manhole manhole_settings matrix_authentication_service max_avatar_size
  max_mau_value max_pending_media_uploads max_spider_size mau_appservice_trial_days
  mau_limit_alerting mau_limit_reserved_threepids mau_stats_only mau_trial_days media_instance_running_background_jobs
  media_retention media_storage_providers media_upload_limits metrics_flags modules next_link_domain_whitelist
  notify_appservices_from_worker oembed oidc_providers opentracing
  outbound_federation_restricted_to prevent_media_downloads_from pusher_instances rc_3pid_validation
  rc_admin_redaction rc_joins_per_room rc_media_create
  rc_registration_token_validity rc_third_party_invite
  recaptcha_private_key recaptcha_private_key_path recaptcha_public_key recaptcha_public_key_path
  recaptcha_siteverify_api redaction_retention_period redis registrations_require_3pid
  report_stats_endpoint request_token_inhibit_3pid_errors
  require_auth_for_profile_requests require_membership_for_aliases retention room_list_publication_rules
  room_prejoin_state run_background_tasks_on saml2_config sentry server_context server_notices sso start_pushers stats
  stream_writers templates thumbnail_sizes track_appservice_user_ips track_puppeted_user_ips ui_auth
  unused_expiration_time update_user_directory_from_worker url_preview_accept_language url_preview_enabled
  url_preview_ip_range_blacklist url_preview_ip_range_whitelist url_preview_url_blacklist
  use_appservice_legacy_authorization user_agent_suffix user_consent user_directory user_ips_max_age user_types
  web_client_location worker_app worker_daemonize worker_listeners worker_log_config worker_manhole worker_name
  worker_pid_file worker_replication_secret worker_replication_secret_path`.split(/\s+/),
)

/** Settings of Synapse that stand elsewhere here. */
export const MOVED: ReadonlyMap<string, string> = new Map([['use_presence', 'presence.enabled']])

/** Synapse's defaults of settings that are not built; with these values they ask for nothing. */
const DEFAULTS: ReadonlyMap<string, readonly unknown[]> = new Map<string, readonly unknown[]>([
  ...[
    'enable_media_repo',
    'enable_local_media_storage',
    'enable_search',
    'enable_3pid_lookup',
    'enable_3pid_changes',
    'enable_room_list_search',
    'allow_per_room_profiles',
    'autocreate_auto_join_rooms',
    'autocreate_auto_join_rooms_federated',
    'auto_join_rooms_for_guests',
    'include_profile_data_on_invite',
    'start_pushers',
  ].map((name) => [name, [true]] as const),
  ...[
    'allow_public_rooms_without_auth',
    'block_non_admin_invites',
    'disable_msisdn_registration',
    'dynamic_thumbnails',
    'enable_registration_captcha',
    'federation_whitelist_endpoint_enabled',
    'forget_rooms_on_leave',
    'hs_disabled',
    'inhibit_user_in_use_error',
    'limit_profile_requests_to_users_who_share_rooms',
    'limit_usage_by_mau',
    'mau_stats_only',
    'registrations_require_3pid',
    'request_token_inhibit_3pid_errors',
    'require_auth_for_profile_requests',
    'require_membership_for_aliases',
    'track_appservice_user_ips',
    'track_puppeted_user_ips',
    'url_preview_enabled',
    'use_appservice_legacy_authorization',
    'worker_daemonize',
  ].map((name) => [name, [false]] as const),
  ['encryption_enabled_by_default_for_room_type', ['off']],
  ['autocreate_auto_join_room_preset', ['public_chat']],
  ['hs_disabled_message', ['']],
  ['dummy_events_threshold', [10]],
  ['filter_timeline_limit', [100]],
  ['max_mau_value', [0]],
  ['mau_limit_alerting', [true]],
  ['mau_trial_days', [0]],
  ['max_pending_media_uploads', [5]],
  ['max_spider_size', ['10M']],
  ['redaction_retention_period', ['7d']],
  ['forgotten_room_retention_period', ['28d']],
  ['user_ips_max_age', ['28d']],
  ['unused_expiration_time', ['24h']],
])

/** Settings of Synapse of which an empty list or group asks for something: nothing is then allowed. */
const EMPTY_ASKS: ReadonlySet<string> = new Set([
  'alias_creation_rules',
  'allowed_avatar_mimetypes',
  'allowed_local_3pids',
  'outbound_federation_restricted_to',
  'room_list_publication_rules',
  'thumbnail_sizes',
])

/** Returns whether a setting of Synapse that is not built asks for nothing: it is off, empty or has Synapse's default. */
export function asksForNothing(name: string, value: unknown): boolean {
  if (value === null || value === undefined) return true
  if (DEFAULTS.get(name)?.includes(value)) return true
  if (typeof value !== 'object') return value === ''
  const values = Object.values(value)
  if (values.length === 0) return !EMPTY_ASKS.has(name)
  if (Array.isArray(value)) return false
  return (value as { readonly enabled?: unknown }).enabled === false || values.every(isOff)
}

const isOff = (value: unknown) => value === null || value === false

function because(reason: string): (name: string) => [string, string] {
  return (name) => [name, reason]
}
