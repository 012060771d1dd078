// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { MAX_STEP_LENGTH } from '@myelin/matrix/parse-long-json'
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'
import { sizeOf } from '@myelin/testing/test-length'
import { worstBodies } from '@myelin/testing/worst-bodies'
import { MAX_BODY_BYTES } from '../body-sizes.ts'
import type { AnyEndpoint } from '../endpoint.ts'
import { endpointsOf } from './endpoints.ts'
import { pathsOf } from './mount.ts'

const endpoints = endpointsOf(['client', 'federation']).filter(({ body }) => body !== undefined)
const isGuarded = ({ access }: AnyEndpoint) => access === 'server' || access === 'admin'
const maxBytesOf = ({ maxBodyBytes }: AnyEndpoint) => maxBodyBytes ?? MAX_BODY_BYTES.small

/** Larger than the limit of every listener. */
const HUGE = '{'.repeat(20_000_000)

describe('the body of a request', () => {
  let server: TestServer
  let token: string
  before(async () => {
    server = await testServer()
    token = (await server.register('alice')).token
  })
  after(() => server.close())

  const parameters: Readonly<Record<string, string>> = {
    userId: '@alice:one.test',
    roomId: '!room:one.test',
    roomIdOrAlias: '!room:one.test',
    eventId: '$event',
    threadRootId: '$event',
    kind: 'override',
    receiptType: 'm.read',
    roomAlias: '#alias:one.test',
  }
  const urlOf = (endpoint: AnyEndpoint) =>
    `${pathsOf(endpoint)[0] ?? ''}${endpoint.id.startsWith('putRoomKey') ? '?version=1' : ''}`.replace(
      /:(\w+)/g,
      (_, name: string) => encodeURIComponent(parameters[name] ?? 'x.name'),
    )

  /** Sends a body and returns the reply with the number of turns that the event loop took until it came. */
  async function send(endpoint: AnyEndpoint, body: string) {
    server.rt.clock.jump(3_600_000)
    let turns = 0
    let isDone = false
    const count = () => {
      turns++
      if (!isDone) setImmediate(count)
    }
    setImmediate(count)
    const answer = await server.call(endpoint.method, urlOf(endpoint), { token, body })
    isDone = true
    return { ...answer, turns }
  }

  test('has one of a few bounds at every endpoint, at most 64 KiB without an account', () => {
    const bounds: readonly number[] = Object.values(MAX_BODY_BYTES)
    for (const endpoint of endpoints) {
      assert.ok(bounds.includes(maxBytesOf(endpoint)), endpoint.id)
      const isForAll = endpoint.access === 'none' || endpoint.access === 'optional'
      // Servers ask the notary for the keys of many others at once.
      const bound = endpoint.id === 'bulkPerspectivesKeyQuery' ? MAX_BODY_BYTES.content : MAX_BODY_BYTES.document
      if (isForAll) assert.ok(maxBytesOf(endpoint) <= bound, endpoint.id)
    }
  })

  for (const endpoint of endpoints) {
    const name = `${endpoint.method} ${endpoint.id}`
    if (isGuarded(endpoint)) {
      test(`of ${name} is not read before the request is authenticated`, async () => {
        const { status } = await server.call(endpoint.method, urlOf(endpoint), { token, body: HUGE })
        assert.equal(status, endpoint.access === 'admin' ? 403 : 401)
      })
      continue
    }

    test(`of ${name} beyond its bound is refused with M_TOO_LARGE`, async () => {
      const { status, body } = await send(endpoint, `{"a":"${'a'.repeat(maxBytesOf(endpoint))}"}`)
      assert.deepEqual([status, body['errcode']], [413, 'M_TOO_LARGE'])
    })

    test(`of ${name} with too many members is refused`, async () => {
      // Beyond the bound of the endpoint, or of the listener.
      const count = sizeOf({ short: Math.ceil(maxBytesOf(endpoint) / 8), full: 1_000_000 })
      const members = Array.from({ length: count }, (_, at) => `"k${at}":0`).join(',')
      const { status, body } = await send(endpoint, `{${members}}`)
      assert.deepEqual([status, body['errcode']], [413, 'M_TOO_LARGE'])
    })

    test(`of ${name} that takes longest within its bound is refused or handled, never an internal error`, async () => {
      const length = Math.min(maxBytesOf(endpoint), sizeOf({ short: 130_000, full: 1_000_000 }))
      for (const { name: kind, text } of worstBodies(endpoint.id, length)) {
        const { status, body, turns } = await send(endpoint, text)
        assert.ok(status < 500, `${kind}: ${status} ${JSON.stringify(body)}`)
        const asksForAuthentication = status === 401 && Array.isArray(body['flows'])
        if (status !== 200 && !asksForAuthentication) assert.equal(typeof body['errcode'], 'string', kind)
        // A string is parsed in one step, and white space is skipped in one.
        const isOne = ['one string', 'escapes', 'half characters', 'space'].includes(kind)
        if (status === 200 && !isOne && text.length > MAX_STEP_LENGTH) {
          assert.ok(turns >= text.length / (2 * MAX_STEP_LENGTH), `${kind}: ${turns} turns for ${text.length}`)
        }
      }
    })
  }

  const bodies = [
    ['that is not UTF-8', Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]), 'M_NOT_JSON'],
    ['with an overlong form', Buffer.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x30, 0x7d]), 'M_NOT_JSON'],
    [
      'with half a character in UTF-8',
      Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x30, 0x7d]),
      'M_NOT_JSON',
    ],
    ['with a byte order mark', Buffer.from('\ufeff{}'), 'M_NOT_JSON'],
    ['with half a character in an escape', Buffer.from('{"a":"\\ud800"}'), 'M_BAD_JSON'],
    ['with an infinite number', Buffer.from('{"a":1e400}'), 'M_BAD_JSON'],
    ['with an infinite number deep inside', Buffer.from('{"a":[{"b":-1E999}]}'), 'M_BAD_JSON'],
    ['with NaN', Buffer.from('{"a":NaN}'), 'M_NOT_JSON'],
  ] as const
  for (const [name, bytes, code] of bodies) {
    test(`${name} is refused with ${code} at every endpoint for clients`, async () => {
      for (const endpoint of endpoints) {
        if (isGuarded(endpoint)) continue
        const { status, body } = await server.call(endpoint.method, urlOf(endpoint), { token, body: bytes })
        assert.deepEqual([status, body['errcode']], [400, code], endpoint.id)
      }
    })
  }

  const numbers = ['1e400', '-1e400', '9007199254740993', '1e300', 'NaN', 'Infinity', '1.5', '']
  test('has a counterpart in queries: numbers that are no exact integers are refused with M_INVALID_PARAM', async () => {
    const urls = [
      'rooms/!r:a/messages?dir=b&limit=',
      'rooms/!r:a/context/$e?limit=',
      'publicRooms?limit=',
      'sync?timeout=',
    ]
    const all = [
      ...urls.map((url) => `/_matrix/client/v3/${url}`),
      '/_matrix/client/v1/rooms/!r:a/timestamp_to_event?dir=b&ts=',
    ]
    for (const url of all) {
      for (const number of numbers) {
        const { status, body } = await server.call('GET', `${url}${number}`, { token })
        assert.deepEqual([status, body['errcode']], [400, 'M_INVALID_PARAM'], `${url}${number}`)
      }
    }
  })
})
