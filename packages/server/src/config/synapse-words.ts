// SPDX-License-Identifier: Apache-2.0
import { isSynapseDefault } from './is-synapse-default.ts'
import { SYNAPSE_DEFAULTS } from './synapse-defaults.ts'

const NOT_NEEDED = 'Myelin has no use for it'

/** Settings of Synapse that do no harm when they have no effect: each with the reason, which is logged. */
export const WITHOUT_EFFECT: ReadonlyMap<string, string> = new Map([
  ['log_config', 'use log_level and log_format'],
  ['report_stats', 'Myelin reports no statistics'],
  ['macaroon_secret_key', 'tokens are random words, not macaroons'],
  ['macaroon_secret_key_path', 'tokens are random words, not macaroons'],
  ['suppress_key_server_warning', 'there is no such warning'],
  ['bcrypt_rounds', 'passwords are hashed with Argon2id'],
  ...['form_secret', 'form_secret_path', 'pid_file', 'daemonize', 'print_pidfile'].map(because(NOT_NEEDED)),
  ...['soft_file_limit', 'gc_thresholds', 'gc_min_interval', 'use_frozen_dicts'].map(because(NOT_NEEDED)),
  ['send_federation', 'every node sends'],
  ['redis', 'nodes speak through PostgreSQL'],
  ...[
    'instance_map',
    'stream_writers',
    'start_pushers',
    'pusher_instances',
    'federation_sender_instances',
    'outbound_federation_restricted_to',
    'run_background_tasks_on',
    'update_user_directory_from_worker',
    'notify_appservices_from_worker',
    'media_instance_running_background_jobs',
    'worker_replication_secret',
    'worker_replication_secret_path',
    'worker_app',
    'worker_name',
    'worker_listeners',
    'worker_manhole',
    'worker_daemonize',
    'worker_pid_file',
    'worker_log_config',
  ].map(because('there are no workers: every node does all work')),
  ['dynamic_thumbnails', 'thumbnails always have the size that is asked for, or somewhat more'],
  ['thumbnail_sizes', 'thumbnails always have the size that is asked for, or somewhat more'],
])

/** Settings that Synapse reads and does not document. */
const UNDOCUMENTED = ['account_validity', 'enable_ephemeral_messages', 'presence_router']

/**
 * The settings of Synapse. A configuration that changes a setting that Myelin neither has nor lists above from Synapse's
 * default is refused, because its absence would matter.
 */
export const SYNAPSE_WORDS: ReadonlySet<string> = new Set([...SYNAPSE_DEFAULTS.keys(), ...UNDOCUMENTED])

/** Settings of Synapse that stand elsewhere here. */
export const MOVED: ReadonlyMap<string, string> = new Map([['use_presence', 'presence.enabled']])

/** Groups that are not built and that are on by default. They may also be off. */
const MAY_BE_OFF: ReadonlySet<string> = new Set(['stats'])

/** Returns whether a setting of Synapse that is not built is off, empty or at Synapse's default. */
export function isWithoutEffect(name: string, value: unknown): boolean {
  const byDefault = SYNAPSE_DEFAULTS.get(name)
  if (value === '' || isSynapseDefault(value, byDefault)) return true
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const mayBeOff = MAY_BE_OFF.has(name) || (byDefault as { readonly enabled?: unknown } | null)?.enabled !== true
  return mayBeOff && (value as { readonly enabled?: unknown }).enabled === false
}

/** Features that Synapse enables by settings and that are always on here. */
const ALWAYS_ON: ReadonlySet<string> = new Set([
  'msc2815_enabled',
  'msc3266_enabled',
  'msc3381_polls_enabled',
  'msc3391_enabled',
  'msc3575_enabled',
  'msc3773_enabled',
  'msc3874_enabled',
  'msc3881_enabled',
  'msc3890_enabled',
  'msc3912_enabled',
  'msc3981_recurse_relations',
  'msc4069_profile_inhibit_propagation',
  'msc4075_enabled',
  'msc4076_enabled',
  'msc4133_enabled',
  'msc4143_enabled',
  'msc4155_enabled',
  'msc4169_enabled',
  'msc4210_enabled',
  'msc4222_enabled',
  'msc4293_enabled',
  'msc4306_enabled',
  'msc4354_enabled',
])

/**
 * Returns a group without the members that Myelin lacks and that have Synapse's default, and without the experimental features
 * that are always on.
 *
 * @param known the members that Myelin has
 */
export function withoutDefaults(name: string, group: object, known: object): object {
  const defaults = (SYNAPSE_DEFAULTS.get(name) ?? {}) as Readonly<Record<string, unknown>>
  const kept = Object.entries(group).filter(
    ([member, value]) =>
      Object.hasOwn(known, member) ||
      !(name === 'experimental_features'
        ? isAlwaysOnOrOff(member, value)
        : Object.hasOwn(defaults, member) && isSynapseDefault(value, defaults[member])),
  )
  return Object.fromEntries(kept)
}

/** Returns whether an experimental feature is off, as all are in Synapse, or is enabled and always on here. */
function isAlwaysOnOrOff(member: string, value: unknown): boolean {
  return ALWAYS_ON.has(member) ? typeof value === 'boolean' : isSynapseDefault(value, undefined)
}

function because(reason: string): (name: string) => [string, string] {
  return (name) => [name, reason]
}
