// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { seededRandom } from '@myelin/kit/random'
import { configReference } from './reference.ts'
import { loadConfig } from './load.ts'
import { sampleConfig, signingKeyPathIn } from './sample.ts'
import { SETTINGS } from './schema.ts'
import { writeSigningKey } from './values/signing-key.ts'

const folder = mkdtempSync(join(tmpdir(), 'myelin-sample-'))
const options = { serverName: 'example.org:8448', dataDir: folder, sharedSecret: 'hush: "hush"' }
writeSigningKey(signingKeyPathIn(folder, options.serverName), seededRandom('key'))
after(() => rmSync(folder, { recursive: true }))

function loaded(text: string) {
  const path = join(folder, 'homeserver.yaml')
  writeFileSync(path, text)
  return loadConfig([path])
}

describe('the sample configuration', () => {
  test('is in order as it stands', () => {
    const config = loaded(sampleConfig(options))
    assert.equal(config.serverName, 'example.org:8448')
    assert.equal(config.registration.sharedSecret, 'hush: "hush"')
    assert.deepEqual(config.database, { engine: 'sqlite', path: join(folder, 'homeserver.db') })
    assert.deepEqual(config.listeners[0]!.addresses, ['127.0.0.1'])
    assert.deepEqual(config.notices, [])
  })

  test('shows every setting there is', () => {
    const text = sampleConfig(options)
    for (const key of SETTINGS.keys()) assert.match(text, new RegExp(`^#?${key}:`, 'm'))
  })

  test('shows defaults that change nothing when they are taken out of their comments', () => {
    const { notices: _, ...before } = loaded(sampleConfig(options))
    const examples =
      /^#(public_baseurl|admin_contact|registration_shared_secret_path|tls_\w+_path|\w+_lifetime|extra_\w+|\w+_proxy|no_proxy_hosts|key_server_\w+|auto_join_mxid_localpart|turn_[su]\w+|turn_password):/
    const uncommented = sampleConfig(options)
      .split('\n')
      .map((line) => (/^#[a-z ]/.test(line) && !line.startsWith('# ') && !examples.test(line) ? line.slice(1) : line))
    const { notices: __, ...now } = loaded(uncommented.join('\n'))
    assert.deepEqual(now, before)
  })
})

test('docs/config.md says what the schemas say; if not, run scripts/write-config-docs.ts', () => {
  const path = new URL('../../../../docs/config.md', import.meta.url)
  assert.equal(readFileSync(path, 'utf8'), configReference())
})
