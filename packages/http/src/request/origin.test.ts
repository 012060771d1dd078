// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { JsonObject } from '@myelin/matrix/json'
import { testRuntime, testSigningKey } from '@myelin/testing/runtime'
import { keyDocument } from '@myelin/testing/fake-servers/honest-answers'
import { InProcessServers } from '@myelin/testing/fake-servers/in-process-servers'
import { xMatrixHeader } from '@myelin/testing/fake-servers/x-matrix'
import { Type } from 'typebox'
import { buildApp } from '../app/app.ts'
import { endpoint } from '../endpoint.ts'
import { ObjectSchema } from '../reply-schemas.ts'
import { JsonObjectSchema } from '../schemas.ts'

const probe = endpoint({
  id: 'probe',
  method: 'PUT',
  path: '/_matrix/federation/v1/probe/:name',
  access: 'server',
  params: Type.Object({ name: Type.String() }),
  body: JsonObjectSchema,
  bodyMayBeAbsent: true,
  maxBodyBytes: 1000,
  reply: ObjectSchema,
  handle: async ({ origin, params, body }) => ({ origin, params, body }),
})

interface Sent {
  readonly target?: string
  /** The body; undefined for none. */
  readonly body?: string
  /** The signed content, if it differs from the body. */
  readonly content?: JsonObject
  readonly destination?: string
  readonly headers?: (mine: string) => string | string[]
}

/** Sends a request that far.test signed, and answers status and body. */
async function send({
  target = '/_matrix/federation/v1/probe/a',
  body,
  content,
  destination = 'one.test',
  headers,
}: Sent) {
  const servers = new InProcessServers()
  servers.set('far.test', () => keyDocument('far.test', { validUntilTs: 1_800_000_000_000 }))
  const rt = await testRuntime(undefined, {}, { transport: servers })
  const app = buildApp(rt, [probe], { isForwarded: false, maxBodyBytes: 1_000_000 })
  const signed = content ?? (body === undefined ? undefined : (JSON.parse(body) as JsonObject))
  const unsigned = { method: 'PUT', uri: target, origin: 'far.test', destination, content: signed }
  const mine = xMatrixHeader(unsigned, testSigningKey('far.test'))
  const reply = await app.inject({
    method: 'PUT',
    url: target,
    headers: {
      // The type of injected headers does not know that one may stand twice.
      authorization: (headers ? headers(mine) : mine) as string,
      'content-type': 'application/json',
    },
    ...(body === undefined ? {} : { payload: body }),
  })
  await app.close()
  await rt.close()
  return { status: reply.statusCode, asked: servers.asked.length, ...(reply.json() as Record<string, unknown>) }
}

describe('an endpoint for other servers', () => {
  test('gets the signing server and the body', async () => {
    const { status, origin, body } = (await send({ body: '{ "b": 1 }' })) as Record<string, unknown>
    assert.deepEqual([status, origin, body], [200, 'far.test', { b: 1 }])
  })

  test('verifies the signature over the encoded target', async () => {
    const answer = await send({ target: '/_matrix/federation/v1/probe/%21a%2Fb?c=%7e&c' })
    assert.equal(answer.status, 200)
    assert.deepEqual((answer as Record<string, unknown>)['params'], { name: '!a/b' })
  })

  test('accepts one valid Authorization header of several', async () => {
    const headers = (mine: string): string[] => [mine.replace('ed25519:test', 'ed25519:next'), mine]
    assert.equal((await send({ headers })).status, 200)
  })

  test('distinguishes an absent body from an empty object', async () => {
    assert.equal((await send({ content: {} })).status, 401)
    assert.equal((await send({ body: '{}' })).status, 200)
  })

  test('verifies the signature over numbers as they were written', async () => {
    // 1.0 and 1 are one number and two texts: a server that signed one did not sign the other.
    assert.equal((await send({ body: '{"a":1.0}', content: { a: 1 } })).status, 401)
    assert.equal((await send({ body: '{"a":1}', content: { a: 1 } })).status, 200)
  })

  test('refuses a request for another server before it reads the body or fetches a key', async () => {
    const body = JSON.stringify({ a: 'x'.repeat(5000) })
    const elsewhere = await send({ body, destination: 'two.test' })
    assert.deepEqual([elsewhere.status, elsewhere.asked], [401, 0])
    const here = await send({ body })
    assert.deepEqual([here.status, here.asked], [413, 0])
  })

  test('refuses an access token', async () => {
    const answer = await send({ headers: () => 'Bearer abc' })
    assert.deepEqual([answer.status, (answer as Record<string, unknown>)['errcode']], [401, 'M_UNAUTHORIZED'])
  })

  test('refuses a body that is not JSON with M_NOT_JSON', async () => {
    const answer = await send({ body: '{"a":1', content: {} })
    assert.deepEqual([answer.status, (answer as Record<string, unknown>)['errcode']], [400, 'M_NOT_JSON'])
  })
})
