// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type Ed25519, isWeak, nodeEd25519, sodiumEd25519 } from './ed25519.ts'

const sodium = sodiumEd25519()
const implementations: readonly (readonly [string, Ed25519])[] = [
  ['node:crypto', nodeEd25519],
  ...(sodium ? [['libsodium', sodium] as const] : []),
]

const PRIME = 2n ** 255n - 19n
const message = Buffer.from('hello')
const seed = Buffer.alloc(32, 7)
const key = nodeEd25519.expandSeed(seed)
const signature = Buffer.from(nodeEd25519.signDetached(message, key.privateKey))

/** The encodings of the y coordinates of small order, canonical or not. */
const SMALL = [
  ...[0n, 1n, PRIME - 1n, PRIME, PRIME + 1n].map(littleEndian),
  Buffer.from('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', 'hex'),
  Buffer.from('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a', 'hex'),
].flatMap((point) => [point, withSign(point)])

for (const [name, { expandSeed, signDetached, verifyDetached }] of implementations) {
  describe(`Ed25519 by ${name}`, () => {
    test('answers the third test of RFC 8032', () => {
      const { privateKey, publicKey } = expandSeed(
        Buffer.from('c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7', 'hex'),
      )
      const text = Buffer.from('af82', 'hex')
      const made = signDetached(text, privateKey)
      assert.equal(
        Buffer.from(publicKey).toString('hex'),
        'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
      )
      assert.equal(
        Buffer.from(made).toString('hex'),
        '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
      )
      assert.equal(verifyDetached(made, text, publicKey), true)
    })

    test('signs and verifies as every other implementation does', () => {
      const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 })
      fc.assert(
        fc.property(bytes, fc.uint8Array(), (anySeed, text) => {
          const own = expandSeed(anySeed)
          const made = signDetached(text, own.privateKey)
          for (const [, other] of implementations) {
            assert.deepEqual(Buffer.from(own.privateKey), Buffer.from(other.expandSeed(anySeed).privateKey))
            assert.deepEqual(Buffer.from(made), Buffer.from(other.signDetached(text, own.privateKey)))
            assert.equal(other.verifyDetached(made, text, own.publicKey), true)
          }
        }),
        { numRuns: 30 },
      )
    })

    test('refuses a signature of another message and of another key', () => {
      const other = nodeEd25519.expandSeed(Buffer.alloc(32, 8))
      assert.equal(verifyDetached(signature, message, key.publicKey), true)
      assert.equal(verifyDetached(signature, Buffer.from('hallo'), key.publicKey), false)
      assert.equal(verifyDetached(signature, message, other.publicKey), false)
    })

    test('refuses what is no point', () => {
      const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 })
      fc.assert(
        fc.property(bytes, (publicKey) => assert.equal(verifyDetached(signature, message, publicKey), false)),
        { numRuns: 50 },
      )
    })
  })
}

test('the guard against weak points takes keys as they are made, and no encoding of a point of small order', () => {
  const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 })
  fc.assert(fc.property(bytes, (anySeed) => assert.equal(isWeak(nodeEd25519.expandSeed(anySeed).publicKey), false)))
  for (const point of SMALL) assert.equal(isWeak(point), true)
})

function littleEndian(number: bigint): Buffer {
  return Buffer.from(number.toString(16).padStart(64, '0'), 'hex').reverse()
}

function withSign(point: Buffer): Buffer {
  return Buffer.concat([point.subarray(0, 31), Buffer.of((point[31] ?? 0) | 128)])
}
