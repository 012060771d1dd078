// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { onEveryDatabase } from '@myelin/testing/databases'
import { testConfig, testRuntime } from '@myelin/testing/runtime'
import { test } from 'node:test'
import { buildApp } from '../app/app.ts'
import { MAX_BODY_BYTES } from '../body-sizes.ts'
import { clientEndpoints } from '../app/endpoints.ts'

const v3 = '/_matrix/client/v3'
const PEER = '10.0.0.9'

onEveryDatabase('behind a proxy', (open) => {
  async function stage() {
    const { login } = testConfig.rateLimits
    const rateLimits = { ...testConfig.rateLimits, login: { ...login, address: { perSecond: 0.001, burstCount: 2 } } }
    const rt = await testRuntime(open, { rateLimits })
    const app = buildApp(rt, clientEndpoints, { isForwarded: true, maxBodyBytes: MAX_BODY_BYTES.content })
    const call = async (method: 'GET' | 'POST', url: string, header: string, payload?: object, token = '') => {
      const headers = { 'x-forwarded-for': header, authorization: `Bearer ${token}` }
      const reply = await app.inject({ method, url, headers, remoteAddress: PEER, ...(payload ? { payload } : {}) })
      return { status: reply.statusCode, body: reply.json() as Record<string, unknown> }
    }
    const auth = { type: 'm.login.dummy' }
    const account = { username: 'alice', password: 'correct horse', auth }
    const { body } = await call('POST', `${v3}/register`, '', account)
    const close = async () => {
      await app.close()
      await rt.close()
    }
    return { rt, call, token: String(body['access_token']), close }
  }

  for (const [header, seen] of [
    ['203.0.113.7:4711', '203.0.113.7'],
    ['unknown', PEER],
    ['<script>', PEER],
  ] as const) {
    test(`a device of which the proxy says ${header} is seen at ${seen}`, async () => {
      const { rt, call, token, close } = await stage()
      await call('GET', `${v3}/account/whoami`, header, undefined, token)
      await rt.db.write(async () => {})
      const { body } = await call('GET', `${v3}/devices`, header, undefined, token)
      assert.deepEqual(
        (body['devices'] as { last_seen_ip: string }[]).map((device) => device.last_seen_ip),
        [seen],
      )
      await close()
    })
  }

  test('names that are no address do not get around the limit of logins by address', async () => {
    const { call, close } = await stage()
    const login = { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'nobody' }, password: 'wrong' }
    const statuses: number[] = []
    for (const header of ['unknown', '_a', '1.2.3', 'x, 203.0.113.7'])
      statuses.push((await call('POST', `${v3}/login`, header, login)).status)
    assert.deepEqual(statuses, [403, 403, 429, 429])
    assert.equal((await call('POST', `${v3}/login`, '203.0.113.7', login)).status, 403)
    await close()
  })
})
