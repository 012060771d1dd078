// SPDX-License-Identifier: Apache-2.0

const limit = (perSecond: number, burstCount: number) => ({ per_second: perSecond, burst_count: burstCount })

const GENERAL = {
  modules: [],
  pid_file: null,
  daemonize: false,
  print_pidfile: false,
  user_agent_suffix: null,
  use_frozen_dicts: false,
  web_client_location: null,
  public_baseurl: null,
  serve_server_wellknown: false,
  extra_well_known_client_content: {},
  soft_file_limit: 0,
  presence: {
    enabled: true,
    include_offline_users_on_sync: false,
    last_active_granularity: '1m',
    sync_online_timeout: '30s',
    idle_timeout: '5m',
  },
  require_auth_for_profile_requests: false,
  limit_profile_requests_to_users_who_share_rooms: false,
  include_profile_data_on_invite: true,
  include_profile_updates_in_sync: false,
  allow_public_rooms_without_auth: false,
  allow_public_rooms_over_federation: false,
  default_room_version: '12',
  gc_thresholds: null,
  gc_min_interval: ['1s', '10s', '30s'],
  filter_timeline_limit: 100,
  block_non_admin_invites: false,
  enable_search: true,
  ip_range_blacklist: [
    '127.0.0.0/8',
    '10.0.0.0/8',
    '172.16.0.0/12',
    '192.168.0.0/16',
    '100.64.0.0/10',
    '192.0.0.0/24',
    '169.254.0.0/16',
    '192.88.99.0/24',
    '198.18.0.0/15',
    '192.0.2.0/24',
    '198.51.100.0/24',
    '203.0.113.0/24',
    '224.0.0.0/4',
    '::1/128',
    'fe80::/10',
    'fc00::/7',
    '2001:db8::/32',
    'ff00::/8',
    'fec0::/10',
  ],
  ip_range_whitelist: [],
  manhole: null,
  manhole_settings: { username: 'matrix', password: 'rabbithole' },
  http_proxy: null,
  https_proxy: null,
  no_proxy_hosts: null,
  matrix_authentication_service: { enabled: false, endpoint: 'http://localhost:8080', force_http2: false },
  dummy_events_threshold: 10,
  delete_stale_devices_after: null,
  email: null,
  max_event_delay_duration: null,
  user_types: { default_user_type: null, extra_user_types: [] },
  report_stats: false,
  report_stats_endpoint: 'https://matrix.org/report-usage-stats/push',
}

const HOMESERVER_BLOCKING = {
  admin_contact: null,
  hs_disabled: false,
  hs_disabled_message: 'Homeserver is currently blocked',
  limit_usage_by_mau: false,
  max_mau_value: 0,
  mau_trial_days: 0,
  mau_appservice_trial_days: {},
  mau_limit_alerting: true,
  mau_stats_only: false,
  mau_limit_reserved_threepids: [],
  server_context: null,
  limit_remote_rooms: {
    enabled: false,
    complexity: 1,
    complexity_error:
      'Your homeserver is unable to join rooms this large or complex. Please speak to your server administrator, or upgrade your instance to join this room.',
    admins_can_join: false,
  },
  require_membership_for_aliases: true,
  allow_per_room_profiles: true,
  max_avatar_size: null,
  allowed_avatar_mimetypes: null,
  redaction_retention_period: '7d',
  redaction_allowed_period: null,
  forgotten_room_retention_period: null,
  user_ips_max_age: '28d',
  request_token_inhibit_3pid_errors: false,
  next_link_domain_whitelist: null,
  templates: { custom_template_directory: null },
  retention: { enabled: false },
}

const FEDERATION = {
  tls_certificate_path: null,
  tls_private_key_path: null,
  federation_verify_certificates: true,
  federation_client_minimum_tls_version: '1',
  federation_certificate_verification_whitelist: [],
  // Documented as an empty list, which Synapse refuses.
  federation_custom_ca_list: null,
  federation_domain_whitelist: null,
  federation_whitelist_endpoint_enabled: false,
  federation_metrics_domains: [],
  allow_profile_lookup_over_federation: true,
  allow_device_name_lookup_over_federation: false,
  federation: {
    client_timeout: '60s',
    max_short_retry_delay: '2s',
    max_long_retry_delay: '60s',
    max_short_retries: 3,
    max_long_retries: 10,
    destination_min_retry_interval: '10m',
    destination_retry_multiplier: 2,
    destination_max_retry_interval: '1w',
  },
  federation_rr_transactions_per_room_per_second: 50,
  old_signing_keys: {},
  key_refresh_interval: '1d',
  trusted_key_servers: [{ server_name: 'matrix.org' }],
  suppress_key_server_warning: false,
  key_server_signing_keys_path: null,
}

const STORAGE = {
  databases: null,
  event_cache_size: '10K',
  caches: {
    global_factor: 0.5,
    per_cache_factors: {},
    expire_caches: true,
    cache_entry_ttl: '30m',
    sync_response_cache_duration: '2m',
    cache_autotuning: {
      max_cache_memory_usage: null,
      target_cache_memory_usage: null,
      min_cache_ttl: null,
    },
  },
  log_config: null,
}

const RATE_LIMITS = {
  rc_message: limit(0.2, 10),
  rc_registration: limit(0.17, 3),
  rc_registration_token_validity: limit(0.1, 5),
  rc_login: { address: limit(0.003, 5), account: limit(0.003, 5), failed_attempts: limit(0.17, 3) },
  rc_admin_redaction: null,
  rc_joins: { local: limit(0.1, 10), remote: limit(0.01, 10) },
  rc_joins_per_room: limit(1, 10),
  rc_3pid_validation: limit(0.003, 5),
  rc_invites: { per_room: limit(0.3, 10), per_user: limit(0.003, 5), per_issuer: limit(0.3, 10) },
  rc_third_party_invite: limit(0.2, 10),
  rc_media_create: limit(10, 50),
  rc_federation: { window_size: 1000, sleep_limit: 10, sleep_delay: 500, reject_limit: 50, concurrent: 3 },
  rc_presence: { per_user: limit(0.1, 1) },
  rc_delayed_event_mgmt: limit(1, 5),
  rc_reports: limit(1, 5),
  rc_room_creation: limit(0.016, 10),
  rc_user_directory: limit(0.016, 200),
  rc_profile: limit(1, 500),
}

const MEDIA = {
  enable_authenticated_media: true,
  enable_media_repo: true,
  enable_local_media_storage: true,
  media_store_path: 'media_store',
  max_pending_media_uploads: 5,
  unused_expiration_time: '24h',
  media_storage_providers: [],
  max_upload_size: '50M',
  media_upload_limits: [],
  max_image_pixels: '32M',
  remote_media_download_burst_count: '500MiB',
  remote_media_download_per_second: '87KiB',
  prevent_media_downloads_from: [],
  dynamic_thumbnails: false,
  thumbnail_sizes: [
    { width: 32, height: 32, method: 'crop' },
    { width: 96, height: 96, method: 'crop' },
    { width: 320, height: 240, method: 'scale' },
    { width: 640, height: 480, method: 'scale' },
    { width: 800, height: 600, method: 'scale' },
  ],
  media_retention: {},
  url_preview_enabled: false,
  url_preview_ip_range_blacklist: null,
  url_preview_ip_range_whitelist: [],
  url_preview_url_blacklist: [],
  max_spider_size: '10M',
  url_preview_accept_language: ['en'],
  oembed: { disable_default_providers: false, additional_providers: [] },
  turn_uris: [],
  turn_shared_secret: null,
  turn_shared_secret_path: null,
  turn_username: null,
  turn_password: null,
  turn_user_lifetime: '1h',
  turn_allow_guests: true,
  matrix_rtc: { transports: [] },
}

const ACCOUNTS = {
  recaptcha_public_key: null,
  recaptcha_public_key_path: null,
  recaptcha_private_key: null,
  recaptcha_private_key_path: null,
  enable_registration_captcha: false,
  recaptcha_siteverify_api: 'https://www.recaptcha.net/recaptcha/api/siteverify',
  enable_registration: false,
  enable_registration_without_verification: false,
  registrations_require_3pid: [],
  disable_msisdn_registration: false,
  allowed_local_3pids: null,
  enable_3pid_lookup: true,
  registration_requires_token: false,
  registration_shared_secret: null,
  registration_shared_secret_path: null,
  bcrypt_rounds: 12,
  allow_guest_access: false,
  default_identity_server: null,
  account_threepid_delegates: {},
  enable_set_displayname: true,
  enable_set_avatar_url: true,
  enable_3pid_changes: true,
  auto_join_rooms: [],
  autocreate_auto_join_rooms: true,
  autocreate_auto_join_rooms_federated: true,
  autocreate_auto_join_room_preset: 'public_chat',
  auto_join_mxid_localpart: null,
  auto_join_rooms_for_guests: true,
  inhibit_user_in_use_error: false,
  allow_underscore_prefixed_registration: false,
  session_lifetime: null,
  refreshable_access_token_lifetime: '5m',
  refresh_token_lifetime: null,
  nonrefreshable_access_token_lifetime: null,
  ui_auth: { session_timeout: 0 },
  login_via_existing_session: { enabled: false, require_ui_auth: true, token_timeout: '5m' },
  saml2_config: null,
  oidc_providers: [],
  cas_config: { enabled: false },
  sso: { client_whitelist: [], update_profile_information: false },
  jwt_config: { enabled: false },
  password_config: {
    enabled: true,
    localdb_enabled: true,
    pepper: null,
    policy: {
      enabled: false,
      minimum_length: 0,
      require_digit: false,
      require_symbol: false,
      require_lowercase: false,
      require_uppercase: false,
    },
  },
  track_puppeted_user_ips: false,
  app_service_config_files: [],
  track_appservice_user_ips: false,
  use_appservice_legacy_authorization: false,
  macaroon_secret_key: null,
  macaroon_secret_key_path: null,
  form_secret: null,
  form_secret_path: null,
  signing_key_path: null,
}

const ROOMS = {
  room_prejoin_state: { disable_default_event_types: false, additional_event_types: [] },
  push: { enabled: true, include_content: true, group_unread_count_by_room: true, jitter_delay: '0s' },
  push_rules: { limits: { rule_count: 10_000, rule_id_length: 300, rule_size: 1024 } },
  encryption_enabled_by_default_for_room_type: 'off',
  user_directory: {
    enabled: true,
    search_all_users: false,
    prefer_local_users: false,
    exclude_remote_users: false,
    show_locked_users: false,
  },
  user_consent: null,
  stats: { enabled: true },
  server_notices: null,
  enable_room_list_search: true,
  alias_creation_rules: null,
  room_list_publication_rules: null,
  default_power_level_content_override: {},
  forget_rooms_on_leave: false,
  exclude_rooms_from_sync: [],
  exclude_rooms_from_presence: [],
  auto_accept_invites: {
    enabled: false,
    only_for_direct_messages: false,
    only_from_local_users: false,
    worker_to_run_on: null,
  },
}

const OPERATION = {
  enable_metrics: false,
  sentry: { dsn: null, environment: null },
  metrics_flags: { known_servers: false },
  opentracing: { enabled: false, homeserver_whitelist: [], force_tracing_for_users: [], jaeger_config: {} },
  worker_replication_secret: null,
  worker_replication_secret_path: null,
  start_pushers: true,
  pusher_instances: [],
  send_federation: true,
  federation_sender_instances: [],
  instance_map: {},
  stream_writers: {},
  // The documented default is an empty list, which no server of Synapse would federate with.
  outbound_federation_restricted_to: null,
  run_background_tasks_on: null,
  task_scheduler: { max_concurrent_tasks: 5 },
  update_user_directory_from_worker: null,
  notify_appservices_from_worker: null,
  media_instance_running_background_jobs: null,
  redis: { enabled: false, host: 'localhost', port: 6379, dbid: null, use_tls: false },
  worker_app: null,
  worker_name: null,
  worker_listeners: [],
  worker_manhole: null,
  worker_daemonize: false,
  worker_pid_file: null,
  worker_log_config: null,
  background_updates: {
    background_update_duration_ms: 100,
    sleep_enabled: true,
    sleep_duration_ms: 1000,
    min_batch_size: 1,
    default_batch_size: 100,
  },
}

/**
 * The defaults of the settings that Synapse 1.163 documents, by name; null where none is documented. `server_name`, `listeners`
 * and `database` have none that fits another server.
 */
export const SYNAPSE_DEFAULTS: ReadonlyMap<string, unknown> = new Map(
  [GENERAL, HOMESERVER_BLOCKING, FEDERATION, STORAGE, RATE_LIMITS, MEDIA, ACCOUNTS, ROOMS, OPERATION].flatMap(
    (group): [string, unknown][] => Object.entries(group),
  ),
)

/**
 * Returns whether a setting, or a part of one, has Synapse's default: it is null, equal to the default, or a group whose members
 * all have theirs. `28d` equals the same number of milliseconds, and `10M` the same number of bytes.
 */
export function isSynapseDefault(value: unknown, byDefault: unknown): boolean {
  if (value === null || value === undefined || value === byDefault) return true
  if (byDefault === undefined && isEmpty(value)) return true
  if (Array.isArray(value) || Array.isArray(byDefault)) return JSON.stringify(value) === JSON.stringify(byDefault)
  if (typeof value !== 'object') return areSameAmount(value, byDefault)
  const group = (byDefault ?? {}) as Readonly<Record<string, unknown>>
  return Object.entries(value).every(([name, part]) => isSynapseDefault(part, member(group, name)))
}

/** Returns whether a value without a known default asks for nothing. */
function isEmpty(value: unknown): boolean {
  return value === false || value === '' || (typeof value === 'object' && Object.keys(value ?? {}).length === 0)
}

function member(group: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(group, name) ? group[name] : undefined
}

const AMOUNT = /^(\d{1,12})([a-z]*)$/i
const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  k: 1024,
  kib: 1024,
  kb: 1024,
  mib: 1024 ** 2,
  mb: 1024 ** 2,
}

/** Returns whether a number or text names the same duration or size as the default; `m` is minutes or mebibytes. */
function areSameAmount(value: unknown, byDefault: unknown): boolean {
  const amounts = [60_000, 1024 ** 2].map((ofM) => [amountOf(value, ofM), amountOf(byDefault, ofM)] as const)
  return amounts.some(([own, other]) => own !== undefined && own === other)
}

function amountOf(value: unknown, ofM: number): number | undefined {
  if (typeof value === 'number') return value
  const [, count, unit = ''] = (typeof value === 'string' && AMOUNT.exec(value)) || []
  const factor = unit === '' ? 1 : unit.toLowerCase() === 'm' ? ofM : UNITS[unit.toLowerCase()]
  return count === undefined || factor === undefined ? undefined : Number(count) * factor
}
