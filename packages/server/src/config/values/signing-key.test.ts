// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { systemRandom } from '@myelin/kit/random'
import { signingKeyFromSeed } from '@myelin/matrix/signatures'
import { readSigningKeys, writeSigningKey } from './signing-key.ts'

const folder = mkdtempSync(join(tmpdir(), 'myelin-key-'))
after(() => rmSync(folder, { recursive: true }))

describe('a signing key file', () => {
  test('gives back the key that was written, and is for its owner only', () => {
    const path = join(folder, 'written')
    const key = writeSigningKey(path, systemRandom)
    assert.deepEqual(readSigningKeys(path), [key])
    assert.match(key.id, /^ed25519:a_[A-Za-z0-9]{4}$/)
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  test('is never written over', () => {
    const path = join(folder, 'once')
    const key = writeSigningKey(path, systemRandom)
    assert.throws(() => writeSigningKey(path, systemRandom), /EEXIST/)
    assert.deepEqual(readSigningKeys(path), [key])
  })

  const seed = (byte: number) => Buffer.alloc(32, byte).toString('base64').replace('=', '')

  test('that Synapse wrote is read, with all keys in it, in order', () => {
    const path = join(folder, 'synapse')
    writeFileSync(path, `\ned25519 a_OLXJ ${seed(7)}\r\ned25519 a_Other ${seed(8)}\n`)
    assert.deepEqual(readSigningKeys(path), [
      signingKeyFromSeed('a_OLXJ', new Uint8Array(32).fill(7)),
      signingKeyFromSeed('a_Other', new Uint8Array(32).fill(8)),
    ])
  })

  test('with two keys under one name is refused', () => {
    const path = join(folder, 'twice')
    writeFileSync(path, `ed25519 a_1 ${seed(7)}\ned25519 a_2 ${seed(8)}\ned25519 a_1 ${seed(9)}\n`)
    assert.throws(() => readSigningKeys(path), /two keys under the name ed25519:a_1/)
  })

  test('with anything else in it, or none at all, is refused with its name', () => {
    for (const text of ['', 'rsa a_1 AAAA', 'ed25519 a_1 c2hvcnQ', `ed25519 a-b ${'A'.repeat(43)}`]) {
      const path = join(folder, 'wrong')
      writeFileSync(path, text)
      assert.throws(() => readSigningKeys(path), {
        name: 'SigningKeyError',
        message: /wrong, which has something else/,
      })
    }
    assert.throws(() => readSigningKeys(join(folder, 'absent')), /absent, which is not there; .*generate-signing-key/)
  })
})
