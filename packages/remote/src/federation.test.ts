// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import type { ServerName } from '@myelin/matrix/ids'
import { signingKeyFromSeed, verifyBytes } from '@myelin/matrix/signatures'
import { InProcessServers } from '@myelin/testing/fake-servers/in-process-servers'
import { Federation, federationPath, requestForm } from './federation.ts'
import { RemoteError } from './remote-error.ts'

const key = signingKeyFromSeed('test', Buffer.alloc(32, 7))
const [one, two] = ['one.test', 'two.test'] as [ServerName, ServerName]

function world(mayCall?: (server: ServerName) => boolean) {
  const servers = new InProcessServers()
  return { servers, federation: new Federation(one, key, servers, mayCall ? { mayCall } : {}) }
}

describe('a call of another server', () => {
  test('is signed over its target and body, for that server alone', async () => {
    const { servers, federation } = world()
    servers.set(two, () => ({}))
    const target = federationPath(['federation', 'v1', 'x', '!a:b/c'], { q: ['1', '2'], none: undefined })
    assert.equal(target, '/_matrix/federation/v1/x/!a%3Ab%2Fc?q=1&q=2')
    await federation.call(two, { method: 'PUT', target, body: { b: 1, a: 2 } })
    const [sent] = servers.asked
    const header = sent?.headers['authorization'] ?? ''
    const sig = /sig="([^"]+)"/.exec(header)?.[1] ?? ''
    assert.match(header, /^X-Matrix origin="one\.test",destination="two\.test",key="ed25519:test",sig="/)
    const signed = { method: 'PUT', uri: target, origin: one, destination: two, content: { a: 2, b: 1 } }
    assert.ok(verifyBytes(requestForm(signed), sig, key.publicKey))
    assert.equal(sent?.body, '{"a":2,"b":1}')
  })

  test('is not made to ourselves, nor to a server the admin does not want', async () => {
    const { servers, federation } = world((server) => server !== two)
    servers.set(two, () => ({}))
    for (const server of [one, two]) {
      await assert.rejects(federation.call(server, { method: 'GET', target: '/' }), RemoteError)
    }
    assert.equal(servers.asked.length, 0)
  })

  test('lets others have their turn while a long answer is parsed', async () => {
    const { servers, federation } = world()
    const answer = { pdus: Array.from({ length: 2000 }, (_, at) => ({ at, filler: 'é{"x":[]}'.repeat(100) })) }
    servers.set(two, () => JSON.stringify(answer))
    let turns = 0
    let isOver = false
    const takeTurns = (): void => {
      turns++
      if (!isOver) setImmediate(takeTurns)
    }
    takeTurns()
    const read = await federation.call(two, { method: 'GET', target: '/' })
    isOver = true
    assert.equal(JSON.stringify(read), JSON.stringify(answer))
    assert.ok(turns > 20)
  })

  for (const [name, bytes] of Object.entries({
    'a byte that never occurs': [0xff],
    'an overlong form': [0xc0, 0xaf],
    'half a surrogate pair': [0xed, 0xa0, 0x80],
    'a character that is cut off': [0xc3],
  })) {
    test(`fails where a string of the answer is not UTF-8: ${name}`, async () => {
      const answer = (status: number) => ({
        send: async () => {
          const text = Buffer.concat([
            Buffer.from('{"errcode":"M_FORBIDDEN","a":"'),
            Buffer.from(bytes),
            Buffer.from('"}'),
          ])
          // In two parts, the second of which ends the character.
          return { status, headers: {}, body: Readable.from([text.subarray(0, -3), text.subarray(-3)]) }
        },
        close: async () => {},
      })
      const call = (status: number) =>
        new Federation(one, key, answer(status)).call(two, { method: 'GET', target: '/' })
      await assert.rejects(call(200), (error) => error instanceof RemoteError && error.fault === 'malformed')
      await assert.rejects(call(403), (error) => error instanceof RemoteError && error.errcode === undefined)
    })
  }

  test('reads characters that are split between two parts of the answer', async () => {
    const text = Buffer.from('{"a":"é"}')
    const body = Readable.from([text.subarray(0, 7), text.subarray(7)])
    const transport = { send: async () => ({ status: 200, headers: {}, body }), close: async () => {} }
    const answer = await new Federation(one, key, transport).call(two, { method: 'GET', target: '/' })
    assert.deepEqual({ ...answer }, { a: 'é' })
  })

  for (const [name, text] of Object.entries({
    'no JSON': '<html>',
    'a list': '[]',
    'too much': `{"a":"${'x'.repeat(200)}"}`,
  })) {
    test(`fails where the answer is ${name}`, async () => {
      const { servers, federation } = world()
      servers.set(two, () => text)
      const asked = federation.call(two, { method: 'GET', target: '/', maxBytes: 100 })
      await assert.rejects(asked, (error) => error instanceof RemoteError && error.fault === 'malformed')
    })
  }
})
