// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MatrixError } from '@myelin/matrix/errors'
import { readInParts } from './read-in-parts.ts'
import { RemoteError } from './remote-error.ts'

const NAMES = ['state', 'auth_chain']

async function* chunksOf(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

/** Returns the result of reading an answer in parts. */
async function read(body: AsyncIterable<Uint8Array>, maxBytes = 10_000_000) {
  const taken: [string, readonly string[]][] = []
  const take = async (list: string, texts: readonly string[]) => void taken.push([list, texts])
  const rest = await readInParts({ status: 200, headers: {}, body }, maxBytes, { names: NAMES, take })
  return { rest: { ...rest }, taken }
}

const malformed = (error: unknown) => error instanceof RemoteError && error.fault === 'malformed'

describe('an answer that is read in parts', () => {
  test('is handed out while the other server still writes', async () => {
    const { promise: isTaken, resolve } = Promise.withResolvers<void>()
    const element = JSON.stringify({ a: 'x'.repeat(1000) })
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(`{"state":[${Array(150).fill(element).join(',')},`)
      // Without the first being taken the rest would never come.
      await isTaken
      yield Buffer.from(`1],"origin":"two.test","auth_chain":[]}`)
    }
    let count = 0
    const take = async (_list: string, texts: readonly string[]) => {
      count += texts.length
      resolve()
    }
    const rest = await readInParts({ status: 200, headers: {}, body: body() }, 1e6, { names: NAMES, take })
    assert.equal(count, 151)
    assert.deepEqual({ ...rest }, { state: [], origin: 'two.test', auth_chain: [] })
  })

  test('may have its members in any order, and says which are missing', async () => {
    const { rest, taken } = await read(
      chunksOf('{"auth_chain":[1],"event":{"a":[]},"sta', 'te":[{},"x"],"__proto__":3}'),
    )
    assert.deepEqual(taken, [
      ['auth_chain', ['1']],
      ['state', ['{}', '"x"']],
    ])
    assert.equal(JSON.stringify(rest), '{"event":{"a":[]},"__proto__":3,"auth_chain":[],"state":[]}')
    assert.deepEqual((await read(chunksOf('{"state":null}'))).rest, { state: null })
  })

  test('fails where a string is not UTF-8, in an element, in another member and in a name', async () => {
    async function* bytes(text: string): AsyncGenerator<Uint8Array> {
      yield Buffer.from(text, 'latin1')
    }
    for (const text of ['{"state":[{"a":"\xff"}]}', '{"event":{"a":"\xe9"}}', '{"\xc3":1,"state":[]}'])
      await assert.rejects(read(bytes(text)), malformed, text)
    assert.deepEqual((await read(bytes('{"state":["\xc3\xa9"]}'))).taken, [['state', ['"é"']]])
  })

  test('fails where it is cut off, too long, says a thing twice or is none', async () => {
    for (const text of ['', '[]', '{"state":[1,2', '{"state":[1],"state":[]}', '{"event":{"a":}}', '{"event":1}x']) {
      await assert.rejects(read(chunksOf(text)), malformed, text)
    }
    await assert.rejects(read(chunksOf('{"state":[', '1,'.repeat(600)), 1000), malformed)
  })

  test('is read no further where it is not wanted any more, or an element is none', async () => {
    for (const cause of [new Error('no more'), new MatrixError('M_NOT_JSON', 'x')]) {
      let isLeft = false
      async function* endless(): AsyncGenerator<Uint8Array> {
        try {
          yield Buffer.from('{"state":[0')
          for (;;) yield Buffer.from(',1'.repeat(100))
        } finally {
          isLeft = true
        }
      }
      const take = () => Promise.reject(cause)
      const reading = readInParts({ status: 200, headers: {}, body: endless() }, 1e6, { names: NAMES, take })
      await assert.rejects(reading, cause instanceof MatrixError ? malformed : cause)
      assert.ok(isLeft)
    }
  })
})
