// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import { RawJson } from '@myelin/kit/raw-json'
import { MatrixError } from '@myelin/matrix/errors'
import { testRuntime } from '@myelin/testing/runtime'
import { Type } from 'typebox'
import { buildApp } from './app.ts'
import { endpoint, Reply } from '../endpoint.ts'
import type { AnyEndpoint } from '../endpoint.ts'
import { BytesSchema, encodedObject, openObject, streamed } from '../reply-schemas.ts'

const Named = Type.Object({ name: Type.String(), age: Type.Optional(Type.Integer()) })
const common = { id: 'probe', method: 'GET', path: '/probe', access: 'none' } as const
const asJson = { 'content-type': 'application/json' }
const bytesReply = (type: string, body: string, headers: Record<string, string> = {}) =>
  endpoint({
    ...common,
    reply: BytesSchema,
    replyType: 'multipart/mixed',
    handle: async () => new Reply(200, Readable.from([body]), { 'content-type': type, ...headers }),
  })

/** Returns the status of one reply of an endpoint, and the mismatches that were reported. */
async function replyOf(probe: AnyEndpoint) {
  const rt = await testRuntime()
  const mismatches: string[] = []
  const app = buildApp(rt, [probe], {
    isForwarded: false,
    maxBodyBytes: 1000,
    onReplyMismatch: (message) => mismatches.push(message),
  })
  const status = await app.inject('/probe').then(
    ({ statusCode }) => statusCode,
    () => 'broken off',
  )
  await app.close()
  await rt.close()
  return { status, mismatches }
}

describe('the check of replies', () => {
  test('lets pass what the schema describes', async () => {
    const good = [
      endpoint({ ...common, reply: Named, handle: async () => ({ name: 'x', age: undefined }) }),
      endpoint({ ...common, reply: openObject({ name: Type.String() }), handle: async () => ({ name: 'x', more: 1 }) }),
      endpoint({
        ...common,
        reply: streamed(Named),
        handle: async () => new Reply(200, Readable.from(['{"name"', ':"x"}']), asJson),
      }),
      bytesReply('multipart/mixed; boundary=b', multipart('{}')),
    ]
    for (const probe of good) assert.deepEqual(await replyOf(probe), { status: 200, mismatches: [] })
  })

  test('turns a reply with a wrong, a missing or an unknown member into a 500', async () => {
    const bad: [object, RegExp][] = [
      [{ name: 1 }, /name must be string/],
      [{ age: 1 }, /required property 'name'/],
      [{ name: 'x', aeg: 1 }, /additional properties: aeg/],
      [new RawJson('{"name":"x","age":1.5}'), /age must be integer/],
      [new RawJson('{"name":'), /not JSON/],
    ]
    for (const [body, problem] of bad) {
      const { status, mismatches } = await replyOf(
        endpoint({ ...common, reply: encodedObject(Named), handle: async () => body }),
      )
      assert.equal(status, 500)
      assert.match(mismatches.join('\n'), problem)
      assert.match(mismatches.join('\n'), /^reply of probe \(200\) does not match/)
    }
  })

  test('checks the members of objects inside arrays and maps', async () => {
    const reply = encodedObject(Type.Object({ list: Type.Array(Named) }))
    const { status, mismatches } = await replyOf(
      endpoint({ ...common, reply, handle: async () => ({ list: [{ name: 'x', aeg: 1 }] }) }),
    )
    assert.equal(status, 500)
    assert.match(mismatches.join('\n'), /list\.0 must NOT have additional properties: aeg/)
  })

  test('breaks off a stream that does not match', async () => {
    const probe = endpoint({
      ...common,
      reply: streamed(Named),
      handle: async () => new Reply(200, Readable.from(['{"name":', '1}']), asJson),
    })
    const { status, mismatches } = await replyOf(probe)
    assert.equal(status, 'broken off')
    assert.match(mismatches.join('\n'), /name must be string/)
  })

  test('checks the type, the length and the parts of bytes', async () => {
    const type = 'multipart/mixed; boundary=b'
    const bad: [AnyEndpoint, RegExp][] = [
      [bytesReply('text/plain', 'x'), /type is text\/plain instead of multipart\/mixed/],
      [bytesReply(type, multipart('{}'), { 'content-length': '1' }), /bytes instead of 1/],
      [bytesReply(type, 'x'), /two parts/],
      [bytesReply(type, multipart('[]')), /first part/],
    ]
    for (const [probe, problem] of bad) assert.match((await replyOf(probe)).mismatches.join('\n'), problem)
  })

  test('wants every error to have a code and a message', async () => {
    const handle = async () => Promise.reject(new MatrixError('M_FORBIDDEN', 'no'))
    assert.deepEqual(await replyOf(endpoint({ ...common, reply: Named, handle })), { status: 403, mismatches: [] })
    const probe = endpoint({
      ...common,
      reply: encodedObject(Named),
      handle: async () => new Reply(404, { no: 'code' }),
    })
    const { status, mismatches } = await replyOf(probe)
    assert.equal(status, 500)
    assert.match(mismatches.join('\n'), /errcode/)
  })
})

function multipart(json: string): string {
  const file = 'Content-Type: text/plain\r\nContent-Disposition: inline\r\n\r\nx'
  return `--b\r\nContent-Type: application/json\r\n\r\n${json}\r\n--b\r\n${file}\r\n--b--\r\n`
}
