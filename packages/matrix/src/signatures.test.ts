// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { decodeBase64, encodeBase64 } from './base64.ts'
import type { JsonObject } from './json.ts'
import {
  generateSigningKey,
  parseSigningKeys,
  printSigningKey,
  signBytes,
  signingKeyFromSeed,
  signingKeyIds,
  signJson,
  verifyBytes,
  verifyJson,
} from './signatures.ts'

const seed = decodeBase64('YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1') ?? assert.fail()
const key = signingKeyFromSeed('1', seed)

describe('signing JSON', () => {
  const examples = [
    [{}, 'K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZKM5ZAQ'],
    [{ one: 1, two: 'Two' }, 'KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw'],
  ] as const
  for (const [object, signature] of examples) {
    test(`signs ${JSON.stringify(object)} as the spec does`, () => {
      assert.deepEqual(signJson(object, 'domain', key), {
        ...object,
        signatures: { domain: { 'ed25519:1': signature } },
      })
    })
  }

  test('keeps the signatures of others, and what is unsigned', () => {
    const earlier = {
      a: 1,
      unsigned: { age: 5 },
      signatures: { other: { 'ed25519:x': 'sig' }, domain: { 'ed25519:0': 'old' } },
    }
    const signed = signJson(earlier, 'domain', key)
    assert.deepEqual(signed['unsigned'], { age: 5 })
    assert.deepEqual(signingKeyIds(signed, 'other'), ['ed25519:x'])
    assert.deepEqual(signingKeyIds(signed, 'domain'), ['ed25519:0', 'ed25519:1'])
    assert.equal(verifyJson(signed, 'domain', 'ed25519:1', key.publicKey), true)
    assert.equal(verifyJson({ ...signed, unsigned: 'else' }, 'domain', 'ed25519:1', key.publicKey), true)
  })

  test('is undone by any change of the object', () => {
    const signed = signJson({ a: 1, b: ['x'] }, 'domain', key)
    for (const changed of [
      { ...signed, a: 2 },
      { ...signed, b: [] },
      { ...signed, c: null },
    ]) {
      assert.equal(verifyJson(changed, 'domain', 'ed25519:1', key.publicKey), false)
    }
    assert.equal(verifyJson(signed, 'elsewhere', 'ed25519:1', key.publicKey), false)
    assert.equal(verifyJson(signed, 'domain', 'ed25519:2', key.publicKey), false)
    assert.equal(verifyJson(signed, 'domain', 'ed25519:1', generateSigningKey('1').publicKey), false)
  })

  test('answers no to whatever stands where signatures should', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.uint8Array({ maxLength: 40 }), (signatures, publicKey) => {
        const objects = [
          { signatures },
          { signatures: { domain: signatures } },
          { signatures: { domain: { 'ed25519:1': signatures } } },
        ]
        for (const object of objects as JsonObject[]) {
          assert.equal(verifyJson(object, 'domain', 'ed25519:1', publicKey), false)
          assert.equal(verifyJson(object, 'domain', 'ed25519:1', key.publicKey), false)
        }
      }),
    )
    assert.equal(
      verifyJson(
        { a: 0.5, signatures: { domain: { 'ed25519:1': 'A'.repeat(86) } } },
        'domain',
        'ed25519:1',
        key.publicKey,
      ),
      false,
    )
  })
})

describe('a signature', () => {
  test('is broken by any flipped bit', () => {
    const message = fc.uint8Array({ minLength: 1, maxLength: 200 })
    fc.assert(
      fc.property(message, fc.nat(), fc.nat(), (bytes, inMessage, inSignature) => {
        const signature = signBytes(bytes, key)
        assert.equal(verifyBytes(bytes, signature, key.publicKey), true)
        assert.equal(verifyBytes(flip(bytes, inMessage), signature, key.publicKey), false)
        const raw = decodeBase64(signature) ?? assert.fail()
        assert.equal(verifyBytes(bytes, encodeBase64(flip(raw, inSignature)), key.publicKey), false)
      }),
      { numRuns: 50 },
    )
  })
})

describe('a signing key file', () => {
  test('is read as it was written', () => {
    const keys = [key, generateSigningKey('a_wxyz')]
    assert.deepEqual(parseSigningKeys(keys.map(printSigningKey).join('')), keys)
    // The spec's seed ends in a bit that stands for nothing; ours does not.
    assert.equal(printSigningKey(key), 'ed25519 1 YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA0\n')
  })

  test('is refused where a line is no key', () => {
    const lines = [
      'ed25519 1',
      'rsa 1 YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1',
      'ed25519 1 YJDB',
      'ed25519 a.b YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1',
    ]
    for (const line of lines) assert.throws(() => parseSigningKeys(line), RangeError)
  })

  test('takes its randomness from the caller', () => {
    assert.deepEqual(
      generateSigningKey('1', () => seed),
      key,
    )
  })
})

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  const bit = at % (copy.length * 8)
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return copy
}
