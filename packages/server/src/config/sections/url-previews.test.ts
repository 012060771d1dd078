// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { seededRandom } from '@myelin/kit/random'
import { ConfigError } from '../fault.ts'
import { loadConfig } from '../load.ts'
import { writeSigningKey } from '../values/signing-key.ts'

const folder = mkdtempSync(join(tmpdir(), 'myelin-config-'))
after(() => rmSync(folder, { recursive: true }))
const keyPath = join(folder, 'key')
writeSigningKey(keyPath, seededRandom('key'))
let count = 0

function fileOf(text: string): string {
  const path = join(folder, `${count++}`)
  writeFileSync(path, text)
  return path
}

function previewsOf(text: string, environment = {}) {
  return loadConfig([fileOf(`server_name: example.org\nsigning_key_path: ${keyPath}\n${text}`)], environment)
    .urlPreviews
}

function faultOf(text: string): string {
  try {
    previewsOf(text)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.faults.map(({ key, message }) => `${key} ${message}`).join('; ')
  }
  return ''
}

describe('the settings of URL previews', () => {
  test('are off by default, and need the addresses to refuse unless a proxy is set', () => {
    assert.equal(previewsOf('').isEnabled, false)
    assert.match(faultOf('url_preview_enabled: true'), /^url_preview_ip_range_blacklist must be set/)
    const listed = previewsOf('url_preview_enabled: true\nurl_preview_ip_range_blacklist: [10.0.0.0/8]')
    assert.deepEqual([listed.isEnabled, listed.addresses.blocked], [true, ['10.0.0.0/8']])
    const proxied = previewsOf('url_preview_enabled: true', { https_proxy: 'http://127.0.0.1:3128' })
    assert.ok(proxied.addresses.blocked.includes('127.0.0.0/8'))
  })

  test('take globs and regular expressions of parts of URLs', () => {
    const { blockedUrls } = previewsOf(`url_preview_url_blacklist:
  - {username: '*'}
  - {netloc: '^[0-9.]+$', port: 8080}`)
    assert.deepEqual(
      blockedUrls.map((rule) => Object.fromEntries(rule)),
      [{ username: '*' }, { netloc: /^[0-9.]+$/u, port: '8080' }],
    )
  })

  test('name further oEmbed providers, of which those with JSON are taken', () => {
    const providers = fileOf(
      JSON.stringify([
        {
          endpoints: [
            { schemes: ['https://a.test/*'], url: 'https://a.test/oembed.{format}', formats: ['json'] },
            { schemes: ['https://b.test/*'], url: 'https://b.test/oembed.xml' },
            { schemes: ['https://c.test/*'], url: 'https://c.test/oembed', formats: ['xml'] },
            { url: 'https://d.test/oembed', discovery: true },
          ],
        },
      ]),
    )
    const { oembedEndpoints } = previewsOf(
      `oembed: {disable_default_providers: true, additional_providers: [${providers}]}`,
    )
    assert.deepEqual(oembedEndpoints, [{ schemes: ['https://a.test/*'], url: 'https://a.test/oembed.{format}' }])
    assert.ok(previewsOf('').oembedEndpoints.length > 0)
  })

  test('are refused where they are wrong', () => {
    const wrong: Record<string, RegExp> = {
      'url_preview_ip_range_whitelist: [10.0.0.0/99]': /^url_preview_ip_range_whitelist\[0\] must be an address/,
      "url_preview_url_blacklist: [{netloc: '^['}]": /^url_preview_url_blacklist\[0\]\.netloc must be a glob/,
      'url_preview_url_blacklist: [{}]': /^url_preview_url_blacklist\[0\] must name a part/,
      'url_preview_url_blacklist: [{host: a}]': /url_preview_url_blacklist/,
      [`oembed: {additional_providers: [${fileOf('{}')}]}`]: /which is no list of oEmbed providers$/,
      [`oembed: {additional_providers: [${join(folder, 'absent')}]}`]: /cannot be read/,
      'url_preview_accept_language: ["en\\r\\nHost: x"]': /url_preview_accept_language/,
    }
    for (const [text, fault] of Object.entries(wrong)) assert.match(faultOf(text), fault, text)
  })
})
