// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { testSigningKey } from '@myelin/testing/runtime'
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'
import { keyDocument } from '@myelin/testing/fake-servers/honest-answers'
import { InProcessServers } from '@myelin/testing/fake-servers/in-process-servers'
import { xMatrixHeader } from '@myelin/testing/fake-servers/x-matrix'
import { federationEndpoints } from '../app/endpoints.ts'
import { pathsOf } from '../app/mount.ts'

const origin = 'far.test'
const strings = {
  'a byte that never occurs': [0xff],
  'an overlong form': [0xc0, 0xaf],
  'half a surrogate pair': [0xed, 0xa0, 0x80],
  'a character that is cut off': [0xc3],
}

describe('a body of another server that is not UTF-8', () => {
  let server: TestServer
  before(async () => {
    const servers = new InProcessServers()
    servers.set(origin, () => keyDocument(origin, { validUntilTs: 1_800_000_000_000 }))
    server = await testServer(undefined, {}, { transport: servers })
  })
  after(() => server.close())

  for (const endpoint of federationEndpoints) {
    const { id, method, access, body } = endpoint
    if (!body) continue
    test(`is refused with M_NOT_JSON by ${id}`, async () => {
      const uri = (pathsOf(endpoint)[0] ?? '').replaceAll(/:[A-Za-z]+/g, 'x')
      const request = { origin, destination: server.name, method, uri, content: { a: '\ufffd' } }
      // A server that decodes loosely would read what the signature covers.
      const headers: Record<string, string> =
        access === 'server' ? { authorization: xMatrixHeader(request, testSigningKey(origin)) } : {}
      for (const [name, bytes] of Object.entries(strings)) {
        const text = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes), Buffer.from('"}')])
        const answer = await server.call(method, uri, { body: text, headers })
        assert.deepEqual([answer.status, answer.body['errcode']], [400, 'M_NOT_JSON'], name)
      }
    })
  }
})
