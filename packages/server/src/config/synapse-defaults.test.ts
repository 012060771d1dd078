// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { seededRandom } from '@myelin/kit/random'
import { ConfigError } from './fault.ts'
import { loadConfig } from './load.ts'
import { SETTINGS } from './schema.ts'
import { writeSigningKey } from './values/signing-key.ts'
import { isSynapseDefault } from './is-synapse-default.ts'
import { SYNAPSE_DEFAULTS } from './synapse-defaults.ts'
import { WITHOUT_EFFECT } from './synapse-words.ts'

const folder = mkdtempSync(join(tmpdir(), 'myelin-defaults-'))
writeSigningKey(join(folder, 'example.org.signing.key'), seededRandom('key'))
after(() => rmSync(folder, { recursive: true }))

/** Returns the faults of a configuration with these settings besides the name, each as `key message`. */
function faultsOf(settings: Readonly<Record<string, unknown>>): string[] {
  const path = join(folder, 'homeserver.yaml')
  // JSON is YAML.
  writeFileSync(path, JSON.stringify({ server_name: 'example.org', ...settings }))
  try {
    loadConfig([path], {})
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.faults.map(({ key, message }) => `${key} ${message}`)
  }
  return []
}

/** Returns a value that asks for something else than the default. */
function otherThan(value: unknown): unknown {
  if (typeof value === 'boolean') return !value
  if (typeof value === 'number') return value + 7
  if (Array.isArray(value)) return [...(value as readonly unknown[]), 'another']
  if (typeof value === 'object' && value !== null) {
    const [name = 'another', part] = Object.entries(value)[0] ?? []
    return { ...value, [name]: otherThan(part) }
  }
  return 'another'
}

/** Synapse's own form of a database, and a listener with all that its sample has. */
const SAMPLE = {
  listeners: [
    {
      port: 8008,
      bind_addresses: ['::1', '127.0.0.1'],
      tls: false,
      type: 'http',
      x_forwarded: true,
      resources: [{ names: ['client', 'federation'], compress: false }],
    },
  ],
  database: {
    name: 'sqlite3',
    txn_limit: 0,
    allow_unsafe_locale: false,
    args: { database: join(folder, 'homeserver.db') },
  },
}

describe('a configuration of Synapse', () => {
  test('that only repeats Synapse’s defaults starts', () => {
    assert.deepEqual(faultsOf({ ...Object.fromEntries(SYNAPSE_DEFAULTS), ...SAMPLE }), [])
  })

  test('is refused by name with another value of each setting that is not built', () => {
    const isMissing = (name: string) => !SETTINGS.has(name) && !WITHOUT_EFFECT.has(name) && name !== 'stats'
    const others = [...SYNAPSE_DEFAULTS].flatMap(([name, value]) => (isMissing(name) ? [[name, otherThan(value)]] : []))
    assert.ok(others.length > 50)
    const message = 'is a setting of Synapse that Myelin does not have yet; take it out'
    const faults = others.map(([name]) => `${String(name)} ${message}`)
    assert.deepEqual(faultsOf(Object.fromEntries(others) as Record<string, unknown>).toSorted(), faults.toSorted())
  })

  // Members of groups of which Myelin has a part.
  const parts: Readonly<Record<string, object>> = {
    presence: { include_offline_users_on_sync: true },
    caches: { expire_caches: false },
    password_config: { localdb_enabled: false },
  }
  test('is refused by name with parts of settings that are not built', () => {
    const names = Object.entries(parts).map(([name, group]) => `${name}.${Object.keys(group).join()}`)
    const faults = faultsOf(parts).map((fault) => fault.split(' ', 1).join())
    assert.deepEqual(faults.toSorted(), names.toSorted())
  })

  test('of workers and Redis starts: these settings have no meaning here', () => {
    const workers = {
      worker_app: 'synapse.app.generic_worker',
      worker_name: 'worker1',
      instance_map: { main: { host: 'localhost', port: 9093 } },
      stream_writers: { events: 'worker1' },
      federation_sender_instances: ['worker1'],
      worker_replication_secret: 'secret',
      redis: { enabled: true, host: 'redis' },
      start_pushers: false,
    }
    assert.deepEqual(faultsOf(workers), [])
  })

  test('is refused with settings of rooms that do not fit together', () => {
    assert.deepEqual(
      faultsOf({
        auto_join_rooms: ['#a:example.org', 'welcome'],
        autocreate_auto_join_room_preset: 'private_chat',
        limit_profile_requests_to_users_who_share_rooms: true,
        server_notices: { system_mxid_localpart: 'a b' },
      }).toSorted(),
      [
        'auto_join_rooms has an entry that is neither an alias nor a room ID: welcome',
        'autocreate_auto_join_room_preset needs auto_join_mxid_localpart: rooms of this preset need invites',
        'limit_profile_requests_to_users_who_share_rooms needs require_auth_for_profile_requests',
        'server_notices.system_mxid_localpart must be a localpart of a user ID',
      ],
    )
  })

  test('may enable experimental features that are always on, and disable any', () => {
    const features = { msc4306_enabled: true, msc4222_enabled: false, msc4108_enabled: false, msc3866: {} }
    assert.deepEqual(faultsOf({ experimental_features: { ...features, msc4028_push_encrypted_events: true } }), [])
    assert.equal(faultsOf({ experimental_features: { msc4108_enabled: true } }).length, 1)
  })

  test('may be off where Synapse is on, if nothing of it is built', () => {
    assert.deepEqual(faultsOf({ stats: { enabled: false }, retention: { enabled: false, purge_jobs: [] } }), [])
  })
})

const amounts = [
  ['28d', 2_419_200_000, true],
  ['7d', '1w', true],
  ['10M', 10_485_760, true],
  ['10M', '10MiB', true],
  ['5m', 300_000, true],
  ['5m', '5h', false],
  ['10M', '10K', false],
  ['28d', '28', false],
  ['off', 'all', false],
] as const
for (const [byDefault, value, isSame] of amounts) {
  test(`${value} ${isSame ? 'is' : 'is not'} the default ${byDefault}`, () => {
    assert.equal(isSynapseDefault(value, byDefault), isSame)
  })
}
