// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'
import { federationEndpoints } from '../app/endpoints.ts'
import { pathsOf } from '../app/mount.ts'

/** The endpoints that the spec leaves unauthenticated; all others require a signature. */
const FOR_ALL = [
  'bulkPerspectivesKeyQuery',
  'exchangeOpenIdToken',
  'getServerKey',
  'getVersion',
  'getWellKnown',
  'onBindThirdPartyIdentifier',
  'perspectivesKeyQuery',
]

describe('the server-server API', () => {
  let server: TestServer
  let token: string
  before(async () => {
    server = await testServer()
    token = (await server.register('alice')).token
  })
  after(() => server.close())

  test('has unauthenticated endpoints only where the spec allows them', () => {
    const open = federationEndpoints.filter(({ access }) => access !== 'server').map(({ id }) => id)
    assert.deepEqual(
      open.filter((id) => !FOR_ALL.includes(id)),
      [],
    )
  })

  for (const { id, method, access, ...endpoint } of federationEndpoints) {
    if (access !== 'server') continue
    test(`refuses ${id} without a signature`, async () => {
      for (const path of pathsOf(endpoint)) {
        const target = path.replaceAll(/:[A-Za-z]+/g, 'x')
        for (const headers of [{}, { authorization: `Bearer ${token}` }, { authorization: 'X-Matrix a' }] as Record<
          string,
          string
        >[]) {
          const { status, body } = await server.call(method, target, {
            headers,
            ...(method === 'GET' ? {} : { body: {} }),
          })
          assert.deepEqual([status, body['errcode']], [401, 'M_UNAUTHORIZED'])
        }
      }
    })
  }
})
