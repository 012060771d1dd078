// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { systemRandom } from '@myelin/kit/random'
import { signingKeyFromSeed } from '@myelin/matrix/signatures'
import { readSigningKey, writeSigningKey } from './signing-key.ts'

const folder = mkdtempSync(join(tmpdir(), 'myelin-key-'))
after(() => rmSync(folder, { recursive: true }))

describe('a signing key file', () => {
  test('gives back the key that was written, and is for its owner only', () => {
    const path = join(folder, 'written')
    const key = writeSigningKey(path, systemRandom)
    assert.deepEqual(readSigningKey(path), key)
    assert.match(key.id, /^ed25519:a_[A-Za-z0-9]{4}$/)
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  test('is never written over', () => {
    const path = join(folder, 'once')
    const key = writeSigningKey(path, systemRandom)
    assert.throws(() => writeSigningKey(path, systemRandom), /EEXIST/)
    assert.deepEqual(readSigningKey(path), key)
  })

  test('that Synapse wrote is read, the first key of several', () => {
    const path = join(folder, 'synapse')
    const seed = Buffer.alloc(32, 7).toString('base64').replace('=', '')
    writeFileSync(path, `\ned25519 a_OLXJ ${seed}\r\ned25519 a_Other ${seed}\n`)
    assert.deepEqual(readSigningKey(path), signingKeyFromSeed('a_OLXJ', new Uint8Array(32).fill(7)))
  })

  test('with anything else in it, or none at all, is refused with its name', () => {
    for (const text of ['', 'rsa a_1 AAAA', 'ed25519 a_1 c2hvcnQ', `ed25519 a-b ${'A'.repeat(43)}`]) {
      const path = join(folder, 'wrong')
      writeFileSync(path, text)
      assert.throws(() => readSigningKey(path), { name: 'SigningKeyError', message: /wrong, which has something else/ })
    }
    assert.throws(() => readSigningKey(join(folder, 'absent')), /absent, which is not there; .*generate-signing-key/)
  })
})
