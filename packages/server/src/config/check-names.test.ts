// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { seededRandom } from '@myelin/kit/random'
import { ConfigError } from './fault.ts'
import { loadConfig } from './load.ts'
import { writeSigningKey } from './values/signing-key.ts'

const folder = mkdtempSync(join(tmpdir(), 'myelin-config-'))
writeSigningKey(join(folder, 'example.org.signing.key'), seededRandom('key'))
after(() => rmSync(folder, { recursive: true }))

/** Writes a configuration and returns the path. */
function fileOf(text: string): string {
  const path = join(folder, 'homeserver.yaml')
  writeFileSync(path, text)
  return path
}

/** Returns how many faults a configuration has. */
function faultCount(text: string): number {
  try {
    loadConfig([fileOf(text)], {})
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.faults.length
  }
  return 0
}

describe('a configuration', () => {
  test('may have settings of Synapse that are not built where they are off, empty or at Synapse’s default', () => {
    const off = [
      'url_preview_enabled: false',
      'email:',
      'retention: {enabled: false, purge_jobs: []}',
      'auto_join_rooms: []',
      'app_service_config_files: []',
      'redis: {enabled: false}',
      'limit_remote_rooms: {}',
      'user_ips_max_age: 28d',
      'matrix_authentication_service: {enabled: false}',
    ]
    assert.deepEqual(loadConfig([fileOf(`server_name: example.org\n${off.join('\n')}`)], {}).notices, [])
    const on = [
      'limit_remote_rooms: {enabled: true}',
      'retention: {enabled: true}',
      'matrix_authentication_service: {enabled: true}',
      'redaction_retention_period: 3d',
      'user_ips_max_age: 7d',
    ]
    assert.equal(faultCount(`server_name: example.org\n${on.join('\n')}`), on.length)
  })

  test('that cannot be read, or is broken, is refused for that alone', () => {
    assert.equal(faultCount('server_name: [example.org'), 1)
    assert.throws(() => loadConfig([join(folder, 'absent.yaml')]), {
      message: `${join(folder, 'absent.yaml')}: cannot be read: there is no such file`,
    })
  })
})
