// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { boundaryOf, secondPart } from './multipart.ts'

/** A message in pieces of that many bytes, and whether anybody closed it. */
function sent(message: Buffer, size: number) {
  const state = { isClosed: false }
  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      for (let start = 0; start < message.length; start += size) yield message.subarray(start, start + size)
    } finally {
      state.isClosed = true
    }
  }
  return { body: pieces(), state }
}

const message = (content: Buffer, { ending = '\r\n', boundary = 'edge', headers = ['Content-Type: a/b'] } = {}) => {
  const head = [`--${boundary}`, 'Content-Type: application/json', '', '{}', `--${boundary}`, ...headers, '', '']
  return Buffer.concat([Buffer.from(head.join(ending)), content, Buffer.from(`${ending}--${boundary}--${ending}`)])
}

async function read(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  return Buffer.concat(chunks)
}

describe('a multipart message', () => {
  test('gives its second part whole, whatever is in it and however it is cut', async () => {
    const part = fc.constantFrom('\r', '\n', '-', '--', '--edg', '\r\n--edg', '\n-', 'x', '\u0000', '\r\n\r\n')
    const content = fc.array(part, { maxLength: 40 }).map((parts) => Buffer.from(parts.join('')))
    const options = { ending: fc.constantFrom('\r\n', '\n'), size: fc.integer({ min: 1, max: 30 }) }
    await fc.assert(
      fc.asyncProperty(content, options.ending, options.size, async (bytes, ending, size) => {
        const { body, state } = sent(message(bytes, { ending }), size)
        const found = await secondPart(body, 'edge')
        assert.deepEqual(await read(found.bytes), bytes)
        assert.equal(found.headers.get('content-type'), 'a/b')
        assert.equal(state.isClosed, true)
      }),
    )
  })

  test('may begin with words to old readers, and have nothing in it', async () => {
    const { body } = sent(Buffer.concat([Buffer.from('This is multipart.\r\n\r\n'), message(Buffer.alloc(0))]), 7)
    assert.equal((await read((await secondPart(body, 'edge')).bytes)).length, 0)
    const bare = Buffer.from('--edge\n\n--edge\nLocation: https://cdn.test/x\n\n--edge--')
    const found = await secondPart(sent(bare, 3).body, 'edge')
    assert.equal(found.headers.get('location'), 'https://cdn.test/x')
    assert.equal((await read(found.bytes)).length, 0)
  })

  const broken = {
    'without a beginning': 'hello\r\n'.repeat(60),
    'of one part': '--edge\r\n\r\n{}\r\n--edge--\r\n',
    'that ends in its headers': '--edge\r\n\r\n{}\r\n--edge\r\nContent-Type: a/b',
    'that ends in its file': '--edge\r\n\r\n{}\r\n--edge\r\n\r\nhalf a file',
    'with a line without end': 'x'.repeat(100_000),
    'with headers without end': `--edge\r\n${'a: b\r\n'.repeat(1000)}`,
    'with a first part without end': `--edge\r\n\r\n${'x'.repeat(200_000)}`,
    'of nothing': '',
  }
  for (const [name, text] of Object.entries(broken)) {
    test(`${name} is refused, and reading stops`, async () => {
      const { body, state } = sent(Buffer.from(text), 1000)
      const reading = secondPart(body, 'edge').then((part) => read(part.bytes))
      await assert.rejects(reading, { name: 'RemoteError', fault: 'malformed' })
      assert.equal(state.isClosed, true)
    })
  }

  const boundaries = [
    ['multipart/mixed; boundary=abc', 'abc'],
    ['multipart/mixed;boundary="a b; c"', 'a b; c'],
    ['Multipart/Mixed; charset=x; BOUNDARY=abc; y=z', 'abc'],
    ['multipart/mixed', undefined],
    ['multipart/mixed; boundary=', undefined],
    ['multipart/form-data; boundary=abc', undefined],
    ['', undefined],
  ] as const
  for (const [contentType, boundary] of boundaries) {
    test(`of type ${JSON.stringify(contentType)} has ${boundary === undefined ? 'no boundary' : boundary}`, () => {
      assert.equal(boundaryOf(contentType), boundary)
    })
  }
})
