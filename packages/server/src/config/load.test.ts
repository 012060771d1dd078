// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, describe, test } from 'node:test'
import { seededRandom } from '@myelin/kit/random'
import { ConfigError } from './fault.ts'
import { loadConfig } from './load.ts'
import type { Config } from './schema.ts'
import { writeSigningKey } from './values/signing-key.ts'

const folder = mkdtempSync(join(tmpdir(), 'myelin-config-'))
const keyPath = join(folder, 'example.org.signing.key')
writeSigningKey(keyPath, seededRandom('key'))
const NO_KEY = 'copy the old one there, or make one with: myelin generate-signing-key -o FILE'
after(() => rmSync(folder, { recursive: true }))

/** Writes each text to a file and returns the files' paths. */
function files(...texts: string[]): string[] {
  return texts.map((text, index) => {
    const path = join(folder, `${index}.yaml`)
    writeFileSync(path, text)
    return path
  })
}

/** The configuration of a server whose settings are the given ones. */
function configOf(text: string, environment: Record<string, string> = {}): Config {
  return loadConfig(files(`server_name: example.org\n${text}`), environment)
}

/** Every fault as `key message`, in order of key. */
function faultsOf(...texts: string[]): string[] {
  const paths = files(...texts)
  try {
    loadConfig(paths, {})
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.faults.map(({ key, message }) => `${key} ${message}`.trim()).sort()
  }
  return []
}

describe('a configuration', () => {
  test('needs nothing but a name and a key', () => {
    const config = configOf('')
    assert.equal(config.serverName, 'example.org')
    assert.equal(config.baseUrl, 'https://example.org/')
    assert.equal(config.server.signingKeyPath, keyPath)
    assert.deepEqual(config.database, { engine: 'sqlite', path: resolve('homeserver.db') })
    assert.deepEqual(config.sessions, {
      sessionMs: undefined,
      refreshableAccessTokenMs: 300_000,
      nonrefreshableAccessTokenMs: undefined,
      refreshTokenMs: undefined,
    })
    assert.deepEqual(config.rateLimits.login.failedAttempts, { perSecond: 0.17, burstCount: 3 })
    assert.equal(config.media.maxUploadBytes, 50 * 1024 * 1024)
    assert.equal(config.registration.isEnabled, false)
    assert.equal(config.wellKnown.servesClient, false)
    assert.deepEqual(config.notices, [])
  })

  test('is frozen to the bottom', () => {
    const config = configOf('')
    assert.throws(() => Object.assign(config.rateLimits.login.address, { burstCount: 9 }), TypeError)
    assert.throws(() => (config.listeners as unknown[]).push({}), TypeError)
  })

  test('says all its faults at once, each with its file and its key', () => {
    const paths = files(
      'server_name: 5\nmax_upload_size: big\nlisteners: [{port: "8008"}, {prot: 1}]\nenable_metrics: 1\n',
      'rc_login: {adress: {per_second: 1}}\nsession_lifetime: 1 day\npassword_config: {policy: {minimum_length: -1}}\n',
    )
    assert.throws(
      () => loadConfig(paths),
      (error: Error) => {
        const lines = error.message.replaceAll(`${folder}/`, '').split('\n').sort()
        assert.deepEqual(lines, [
          '0.yaml: enable_metrics must be a boolean, not 1',
          '0.yaml: listeners[0].port must be an integer, not "8008"',
          '0.yaml: listeners[1].port is missing',
          '0.yaml: listeners[1].prot is not a setting; did you mean port?',
          '0.yaml: max_upload_size must be a size: a number, alone or with K, M, G or T, not "big"',
          '0.yaml: server_name must be a host name, not 5',
          '1.yaml: password_config.policy.minimum_length must be >= 0, not -1',
          '1.yaml: rc_login.adress is not a setting; did you mean address?',
          '1.yaml: session_lifetime must be a duration (milliseconds, or a number with s, m, h, d, w or y) or null, not "1 day"',
        ])
        return true
      },
    )
  })

  const refused: readonly (readonly [string, string, readonly string[]])[] = [
    ['without a name', 'enable_metrics: yes', ['server_name is missing']],
    [
      'with an address for a name',
      'server_name: https://example.org',
      [
        'server_name must be a host name, with a port if need be, and without https://',
        `signing_key_path names ${join(folder, 'https:/example.org.signing.key')}, which is not there; ${NO_KEY}`,
      ],
    ],
    [
      'with a slip in a name',
      'server_name: example.org\nenable_registraton: true',
      ['enable_registraton is not a setting; did you mean enable_registration?'],
    ],
    ['with a name nobody knows', 'server_name: example.org\nfrobnicate: 1', ['frobnicate is not a setting']],
    [
      'with a name that every object inherits',
      'server_name: example.org\n__proto__: {a: 1}\nconstructor: 1',
      ['__proto__ is not a setting', 'constructor is not a setting'],
    ],
    [
      'with a setting of Synapse that would be missed',
      'server_name: example.org\nenable_registration_captcha: true',
      ['enable_registration_captcha is a setting of Synapse that Myelin does not have yet; take it out'],
    ],
    [
      'with upper case in its name',
      'server_name: Example.org\nsigning_key_path: KEY',
      ['server_name must be in lower case: example.org'],
    ],
    [
      'with a dot at the end of its name',
      'server_name: "example.org.:8448"\nsigning_key_path: KEY',
      ['server_name must not end with a dot: example.org:8448'],
    ],
    [
      'with a setting that stands elsewhere here',
      'server_name: example.org\nuse_presence: false',
      ['use_presence is presence.enabled here; set that instead'],
    ],
    [
      'with a YAML bomb',
      `a: &a [x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]
d: [*c, *c, *c, *c, *c, *c, *c, *c, *c]`,
      ['cannot be read as YAML: Excessive alias count indicates a resource exhaustion attack'],
    ],
    [
      'with a room version there is not',
      'server_name: example.org\ndefault_room_version: 99',
      [`default_room_version must be one of ${Array.from({ length: 12 }, (_, index) => index + 1).join(', ')}`],
    ],
    [
      'with a session shorter than its tokens',
      'server_name: example.org\nsession_lifetime: 1h\nrefresh_token_lifetime: 2h',
      ['refresh_token_lifetime is longer than session_lifetime'],
    ],
    [
      'with TLS and no certificate',
      'server_name: example.org\nlisteners: [{port: 1, tls: true}]',
      [
        'tls_certificate_path is missing, and a listener has tls: true',
        'tls_private_key_path is missing, and a listener has tls: true',
      ],
    ],
    [
      'with a database in memory',
      'server_name: example.org\ndatabase: {name: sqlite3, args: {database: ":memory:"}}',
      ['database.args.database must be a file; a database in memory would forget what it promised to keep'],
    ],
    [
      'with a database of no known kind',
      'server_name: example.org\ndatabase: {name: mysql}',
      ['database.name must be one of sqlite3, psycopg2, not "mysql"'],
    ],
    ['that is a list', '- server_name', ['must be settings, one "name: value" a line']],
  ]
  for (const [name, text, expected] of refused) {
    test(`${name} is refused`, () => assert.deepEqual(faultsOf(text.replace('KEY', keyPath)), expected))
  }

  test('with YAML that is broken, or says a thing twice, is refused with the line', () => {
    assert.match(faultsOf('server_name: [example.org')[0]!, /line 1|at line/)
    assert.match(faultsOf('server_name: example.org\nserver_name: other.org')[0]!, /unique.*line 2/)
  })

  test('never repeats a secret in a fault', () => {
    const faults = faultsOf(
      'server_name: example.org\nregistration_shared_secret: 12345\ndatabase: {name: psycopg2, args: {database: a, password: 67890}}',
    )
    assert.deepEqual(faults, ['database.args.password must be a text', 'registration_shared_secret must be a text'])
  })

  test('that lets everyone register, unchecked, must say so twice', () => {
    assert.match(
      faultsOf('server_name: example.org\nenable_registration: true')[0]!,
      /^enable_registration is true, and nothing/,
    )
    const open = configOf('enable_registration: true\nenable_registration_without_verification: true').registration
    assert.deepEqual(open, { isEnabled: true, requiresToken: false, sharedSecret: undefined, allowsGuests: false })
    const withTokens = configOf('enable_registration: true\nregistration_requires_token: true').registration
    assert.deepEqual(withTokens, { ...open, requiresToken: true })
  })

  test('notes the settings of Synapse that have no effect', () => {
    const { notices } = configOf('report_stats: false\nlog_config: /etc/log.yaml')
    assert.deepEqual(notices, [
      `${join(folder, '0.yaml')}: report_stats has no effect: Myelin reports no statistics`,
      `${join(folder, '0.yaml')}: log_config has no effect: use log_level and log_format`,
    ])
  })

  test('takes a setting that says nothing for one that is not there, unless it may be null', () => {
    const config = configOf('listeners:\nmedia_store_path:\nrefreshable_access_token_lifetime:')
    assert.equal(config.listeners[0]!.port, 8008)
    assert.equal(config.media.storePath, resolve('media_store'))
    assert.equal(config.sessions.refreshableAccessTokenMs, undefined)
  })

  test('reads the words YAML 1.1 has for true and false, as Synapse does', () => {
    assert.equal(configOf('enable_metrics: yes').metrics.isEnabled, true)
    assert.equal(configOf('presence: {enabled: off}').presence.isEnabled, false)
  })
})

describe('a proxy', () => {
  const proxyOf = (...from: Parameters<typeof configOf>) => configOf(...from).connections.proxy
  const said = { isSecure: false, host: 'said.test', port: 8080, authorization: undefined }
  const around = { HTTPS_PROXY: 'http://capital.test:8080', no_proxy: 'a.test, 10.0.0.0/8' }

  test('is undefined where none is configured', () => {
    assert.deepEqual(proxyOf(''), { https: undefined, exceptions: [] })
  })

  test('is the one of the environment, small letters before capital ones', () => {
    assert.equal(proxyOf('', around).https?.host, 'capital.test')
    assert.deepEqual(proxyOf('', around).exceptions, ['a.test', ' 10.0.0.0/8'])
    assert.equal(proxyOf('', { ...around, https_proxy: 'small.test' }).https?.host, 'small.test')
  })

  test('is the one of a file, whatever the environment says, setting by setting', () => {
    assert.deepEqual(proxyOf('https_proxy: http://said.test:8080/', around), {
      https: said,
      exceptions: ['a.test', ' 10.0.0.0/8'],
    })
    assert.deepEqual(proxyOf('no_proxy_hosts: [b.test]', around).exceptions, ['b.test'])
    assert.deepEqual(proxyOf('https_proxy: ""\nno_proxy_hosts: []', around), { https: undefined, exceptions: [] })
  })

  test('that cannot be read is a fault, in the environment as well, and its password stays where it is', () => {
    const fault = 'must be a proxy like http://USER:PASSWORD@HOST:PORT'
    assert.deepEqual(faultsOf('server_name: example.org\nhttps_proxy: socks5://me:secret@b.test\nhttp_proxy: "a b"'), [
      `http_proxy ${fault}`,
      `https_proxy ${fault}`,
    ])
    assert.throws(
      () => configOf('', { https_proxy: 'socks5://me:secret@b.test' }),
      (error: Error) => /https_proxy in the environment must be/.test(error.message) && !/secret/.test(error.message),
    )
  })
})

describe('several files', () => {
  const listenerPorts = (config: Config) => config.listeners.map((listener) => listener.port)

  test('are read in order: the later one takes the place of the earlier, lists and all', () => {
    const config = loadConfig(
      files(
        'server_name: example.org\nlisteners: [{port: 1}, {port: 2}]\nrc_message: {per_second: 7, burst_count: 8}\nlog_level: debug',
        'listeners: [{port: 3}]\nrc_message: {per_second: 9}',
      ),
    )
    assert.deepEqual(listenerPorts(config), [3])
    assert.deepEqual(config.rateLimits.message, { perSecond: 9, burstCount: 10 })
    assert.equal(config.log.level, 'debug')
  })

  test('can be a folder, read in order of name', () => {
    const several = join(folder, 'conf.d')
    mkdirSync(several)
    writeSigningKey(join(several, 'example.org.signing.key'), seededRandom('folder'))
    writeFileSync(join(several, '20-ports.yaml'), 'listeners: [{port: 20}]')
    writeFileSync(join(several, '10-name.yaml'), 'server_name: example.org\nlisteners: [{port: 10}]')
    writeFileSync(join(several, 'notes.txt'), 'not: [yaml')
    assert.deepEqual(listenerPorts(loadConfig([several])), [20])
  })

  test('that are not there, or a folder with none in it, are faults', () => {
    mkdirSync(join(folder, 'empty'))
    assert.throws(() => loadConfig([join(folder, 'absent.yaml')]), /absent\.yaml: cannot be read/)
    assert.throws(() => loadConfig([join(folder, 'empty')]), /empty: is a folder without any \.yaml file/)
  })
})

describe('a secret', () => {
  test('can lie in a file of its own', () => {
    const path = join(folder, 'secret')
    writeFileSync(path, 'hush hush\n')
    assert.equal(configOf(`registration_shared_secret_path: ${path}`).registration.sharedSecret, 'hush hush')
    const { database } = configOf(`database: {name: psycopg2, args: {dbname: m, password_path: ${path}}}`)
    assert.deepEqual(database, {
      engine: 'postgres',
      connection: { password: 'hush hush', database: 'm' },
      maxReaders: 10,
    })
  })

  test('cannot be said in both ways, nor lie in a file that is not there', () => {
    const absent = join(folder, 'absent')
    assert.deepEqual(
      faultsOf(`server_name: example.org\nregistration_shared_secret: a\nregistration_shared_secret_path: ${absent}`),
      [
        'registration_shared_secret_path cannot stand beside registration_shared_secret; leave one of the two out',
        `registration_shared_secret_path names ${absent}, which cannot be read (ENOENT)`,
      ],
    )
  })
})

describe('a listener', () => {
  const served = (resources: string) =>
    [...configOf(`listeners: [{port: 1, ${resources}}]`).listeners[0]!.serves].sort()

  test('serves what it names, media with the client API, and health always', () => {
    assert.deepEqual(served('resources: [{names: [client]}]'), ['client', 'health', 'media'])
    assert.deepEqual(served('resources: [{names: [health]}]'), ['health'])
    assert.deepEqual(served('resources: [{names: [media]}, {names: [metrics]}]'), ['health', 'media', 'metrics'])
    assert.deepEqual(served('type: metrics'), ['health', 'metrics'])
  })

  test('listens everywhere when no address is named', () => {
    assert.deepEqual(configOf('listeners: [{port: 1}]').listeners[0]!.addresses, ['::', '0.0.0.0'])
  })
})

describe('a database', () => {
  const databaseOf = (text: string) => configOf(`database: ${text}`).database

  test('is an SQLite file or a PostgreSQL server, in Synapse’s words or in one', () => {
    const args = '{host: db, port: 5433, user: u, password: p, dbname: d, cp_min: 5, cp_max: 20, sslmode: require}'
    assert.deepEqual(databaseOf(`{name: psycopg2, txn_limit: 1, args: ${args}}`), {
      engine: 'postgres',
      connection: {
        host: 'db',
        port: 5433,
        user: 'u',
        password: 'p',
        database: 'd',
        ssl: { rejectUnauthorized: false },
      },
      maxReaders: 20,
    })
    assert.deepEqual(databaseOf('postgresql://u:p@db/d'), {
      engine: 'postgres',
      connection: { connectionString: 'postgresql://u:p@db/d' },
      maxReaders: 10,
    })
    assert.deepEqual(databaseOf('{name: sqlite3, args: {database: /srv/x.db}}'), {
      engine: 'sqlite',
      path: '/srv/x.db',
    })
    assert.deepEqual(databaseOf('/srv/y.db'), { engine: 'sqlite', path: '/srv/y.db' })
  })

  test('is of a policy server with a key of its own', () => {
    const policyKey = join(folder, 'policy.signing.key')
    assert.match(
      faultsOf('server_name: example.org\npolicy_server: { enabled: true }').join(),
      /signing_key_path names .*policy.signing.key, which is not there/,
    )
    writeSigningKey(policyKey, seededRandom('policy'))
    const config = configOf('policy_server: { enabled: true, newcomers: { period: 1d } }')
    assert.deepEqual([config.policyKeyPath, config.policyServer.newcomers.forMs], [policyKey, 86_400_000])
    assert.equal(configOf('').policyKeyPath, undefined)
    assert.deepEqual(
      faultsOf(`server_name: example.org\npolicy_server: { enabled: true, signing_key_path: ${keyPath} }`),
      ['policy_server.signing_key_path names a key that this server signs with anyway; make another one for it'],
    )
    const faults = faultsOf(
      "server_name: example.org\npolicy_server: { ban_lists: ['#a:b'], newcomers: { period: 31d } }",
    )
    assert.deepEqual(faults, [
      'policy_server.ban_lists[0] must be the id of a room, not an alias',
      'policy_server.newcomers.period must be 30 days at the most',
    ])
  })
})
