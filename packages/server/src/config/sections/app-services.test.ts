// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { seededRandom } from '@myelin/kit/random'
import { loadConfig } from '../load.ts'
import { writeSigningKey } from '../values/signing-key.ts'

const VALID = `
id: irc
url: http://127.0.0.1:9999/
as_token: secret-a
hs_token: secret-h
sender_localpart: ircbot
namespaces:
  users: [{ exclusive: true, regex: '@_irc_.*' }]
  aliases: []
  rooms: null
rate_limited: false
protocols: [irc]
de.sorunome.msc2409.push_ephemeral: true
`

/** Returns the application services of a configuration with these registration files, or the error. */
function read(...texts: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-'))
  for (const [index, text] of texts.entries()) writeFileSync(join(folder, `${index}.yaml`), text)
  const files = texts.map((_, index) => `${index}.yaml`)
  writeSigningKey(join(folder, 'one.test.signing.key'), seededRandom('key'))
  const settings = `server_name: one.test\napp_service_config_files: ${JSON.stringify(files)}\n`
  writeFileSync(join(folder, 'homeserver.yaml'), settings)
  return loadConfig([join(folder, 'homeserver.yaml')], {}).appServices
}

describe('registration files', () => {
  test('are read as Synapse reads them, relative to the configuration', () => {
    assert.deepEqual(read(VALID), [
      {
        id: 'irc',
        url: 'http://127.0.0.1:9999',
        asToken: 'secret-a',
        hsToken: 'secret-h',
        senderLocalpart: 'ircbot',
        users: [{ pattern: '@_irc_.*', isExclusive: true }],
        aliases: [],
        rooms: [],
        isRateLimited: false,
        protocols: ['irc'],
        ephemeralMembers: ['de.sorunome.msc2409.ephemeral'],
        receivesDeviceLists: false,
      },
    ])
  })

  for (const [fault, text, message] of [
    ['without a token', VALID.replace('as_token: secret-a', ''), /0\.yaml: it .*as_token/],
    ['with a wrong URL', VALID.replace('http:', 'ftp:'), /0\.yaml: url must be/],
    ['with a wrong expression', VALID.replace('@_irc_.*', '@_irc_('), /namespaces\.users\.0\.regex is not a regular/],
    ['that is no YAML', '{', /0\.yaml: /],
    ['that is a list', '- id', /0\.yaml: it /],
  ] as const)
    test(`${fault} are refused with file and key`, () => {
      assert.throws(() => read(text), message)
    })

  test('with the same ID or token are refused', () => {
    const other = VALID.replace('id: irc', 'id: other')
    assert.throws(() => read(VALID, other), /1\.yaml: another application service has the same as_token/)
    assert.throws(() => read(VALID, VALID.replace('secret-a', 'secret-b')), /has the same id/)
  })

  test('that do not exist are refused', () => {
    const folder = mkdtempSync(join(tmpdir(), 'myelin-'))
    const file = join(folder, 'homeserver.yaml')
    writeFileSync(file, 'server_name: one.test\napp_service_config_files: [none.yaml]\n')
    assert.throws(() => loadConfig([file], {}), /none\.yaml, which cannot be read/)
  })
})
