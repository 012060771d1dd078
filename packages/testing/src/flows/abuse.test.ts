// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { AnyEndpoint } from '@myelin/http/endpoint'
import { clientEndpoints } from '@myelin/http/app/endpoints'
import { pathsOf } from '@myelin/http/app/mount'
import fc from 'fast-check'
import { onEveryDatabase } from '../databases.ts'
import { testConfig } from '../runtime.ts'
import { testServer } from '../server.ts'
import type { Answer, TestServer } from '../server.ts'

/** Hostile values for any parameter. */
const nasty = fc.oneof(
  fc.constantFrom<unknown>(
    '',
    '__proto__',
    'constructor',
    '\u0000',
    '../../etc/passwd',
    '%00',
    '💥',
    '@',
    '!',
    '$',
    '#',
    ':',
    '@a:b',
    '!x:y',
    '$x',
    'x'.repeat(300),
    '*',
    '**********x',
    'm.room.member',
    'm.room.create',
    'm.room.power_levels',
    'one.test',
  ),
  fc.constantFrom<unknown>(null, true, false, 0, -1, 1.5, 2 ** 53, -(2 ** 53), 1e300, [], {}, [[]], [null], [{}]),
  fc.string({ maxLength: 20 }),
  fc.jsonValue({ maxDepth: 3 }),
)

type Schema = {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
}

/** Bodies near what the schema wants: each member as asked, missing, or something else. */
function bodiesNear(schema: Schema | undefined, depth = 0): fc.Arbitrary<unknown> {
  if (!schema) return nasty
  if (schema.const !== undefined) return fc.oneof({ weight: 3, arbitrary: fc.constant(schema.const) }, nasty)
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((part) => bodiesNear(part, depth)), nasty)
  if (schema.type !== 'object' || depth > 3) return nasty
  const properties = Object.entries(schema.properties ?? {})
  const known = fc.record(Object.fromEntries(properties.map(([name, part]) => [name, bodiesNear(part, depth + 1)])), {
    requiredKeys: [],
  })
  const extra = fc.dictionary(
    fc.oneof(fc.constantFrom('__proto__', 'constructor', '@a:one.test', 'x'), fc.string({ maxLength: 8 })),
    nasty,
    { maxKeys: 2 },
  )
  return fc.oneof(
    { weight: 5, arbitrary: known },
    { weight: 1, arbitrary: fc.tuple(known, extra).map(([a, b]) => ({ ...b, ...a })) },
    { weight: 1, arbitrary: nasty },
  )
}

// 502: another server cannot be reached, which is no failure of ours.
const isRefusal = ({ status, body }: Answer) =>
  ((status >= 400 && status < 500) || status === 502) && /^M_[A-Z_]+$/.test(String(body['errcode']))
/** User-interactive authentication asks for more with a 401 that need not carry a code. */
const asksForMore = ({ status, body }: Answer) => status === 401 && Array.isArray(body['flows'])
const describeAnswer = (answer: Answer) => `${answer.status} ${JSON.stringify(answer.body)}`

onEveryDatabase('hostile requests to every endpoint', (open) => {
  let server: TestServer
  let attacker: { userId: string; token: string; deviceId: string }
  let foreignRoom = ''
  let foreignEvent = ''
  let ownRoom = ''

  before(async () => {
    server = await testServer(open, { media: { ...testConfig.media, maxUploadBytes: 1000, maxImagePixels: 1000 } })
    const victim = await server.register('victim')
    attacker = await server.register('attacker')
    const make = async (token: string) =>
      String((await server.call('POST', '/_matrix/client/v3/createRoom', { token, body: {} })).body['room_id'])
    foreignRoom = await make(victim.token)
    ownRoom = await make(attacker.token)
    const sent = await server.call(
      'PUT',
      `/_matrix/client/v3/rooms/${encodeURIComponent(foreignRoom)}/send/m.room.message/1`,
      {
        token: victim.token,
        body: { msgtype: 'm.text', body: 'secret' },
      },
    )
    foreignEvent = String(sent.body['event_id'])
  })
  after(() => server.close())

  const segment = () =>
    fc.oneof(
      fc.constantFrom(
        () => foreignRoom,
        () => ownRoom,
        () => foreignEvent,
        () => attacker.userId,
        () => '@victim:one.test',
        () => '@nobody:one.test',
        () => '@far:away.test',
        () => attacker.deviceId,
        () => '!nowhere:one.test',
        () => '$nothing',
        () => 'm.room.message',
        () => '1',
      ),
      nasty.map((value) => () => (typeof value === 'string' ? value : JSON.stringify(value))),
    )
  /** A path with each parameter filled in by chance. */
  const pathOf = (endpoint: AnyEndpoint) => {
    const [path = ''] = pathsOf(endpoint)
    const count = path.match(/:[^/]+/g)?.length ?? 0
    return fc.array(segment(), { minLength: count, maxLength: count }).map((values) => () => {
      let index = 0
      return path.replace(/:[^/]+/g, () => encodeURIComponent(values[index++]?.() ?? '') || 'x')
    })
  }
  /** Requests that are left out: ending the attacker's own session, which later calls need, and waiting on a clock that stands. */
  const isSafe = ({ id }: AnyEndpoint) =>
    !['logout', 'logout_all', 'deactivateAccount', 'sync', 'getEvents'].includes(id)

  for (const endpoint of clientEndpoints) {
    const name = `${endpoint.id} (${endpoint.method} ${pathsOf(endpoint)[0]})`
    const needsToken = endpoint.access !== 'none' && endpoint.access !== 'optional'

    test(`${name} asks for a token, and knows its own`, async () => {
      const path = pathsOf(endpoint)[0]?.replace(/:[^/]+/g, 'x') ?? ''
      if (!needsToken) return assert.ok(endpoint.access === 'none' || endpoint.access === 'optional')
      const without = await server.call(endpoint.method, path, { body: '{broken' })
      assert.equal(`${without.status} ${String(without.body['errcode'])}`, '401 M_MISSING_TOKEN')
      const foreign = await server.call(endpoint.method, path, { token: 'somebody-else', body: '{broken' })
      assert.equal(`${foreign.status} ${String(foreign.body['errcode'])}`, '401 M_UNKNOWN_TOKEN')
    })

    test(`${name} refuses another method with 405, before it asks for a token`, async () => {
      const path = pathsOf(endpoint)[0]?.replace(/:[^/]+/g, 'x') ?? ''
      const answer = await server.call('PATCH', path)
      assert.equal(`${answer.status} ${String(answer.body['errcode'])}`, '405 M_UNRECOGNIZED')
    })

    if (!isSafe(endpoint)) continue

    test(`${name} never fails inside, and leaves nothing behind where it refuses`, async () => {
      const body = endpoint.body ? bodiesNear(endpoint.body as Schema) : fc.constant(undefined)
      await fc.assert(
        fc.asyncProperty(pathOf(endpoint), body, async (path, sent) => {
          const { token } = attacker
          const position = await server.rt.db.position()
          const answer = await server.call(endpoint.method, path(), {
            token,
            ...(sent === undefined ? {} : { body: JSON.stringify(sent) }),
          })
          const isAnswered = answer.status < 300 || isRefusal(answer) || asksForMore(answer)
          assert.ok(isAnswered, describeAnswer(answer))
          if (answer.status >= 400 && answer.status !== 401)
            assert.equal(await server.rt.db.position(), position, describeAnswer(answer))
        }),
        { numRuns: 40 },
      )
    })

    if (!endpoint.body) continue

    test(`${name} refuses bodies that are no JSON object`, async () => {
      const path =
        pathsOf(endpoint)[0]
          ?.replace(/:roomId/, encodeURIComponent(ownRoom))
          .replace(/:userId/, attacker.userId)
          .replace(/:eventId/, encodeURIComponent(foreignEvent))
          .replace(/:[^/]+/g, 'x') ?? ''
      const { token } = attacker
      const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
      for (const text of [
        '{',
        'nonsense',
        '{"a":1}}',
        '[]',
        '"text"',
        '1',
        'null',
        deep,
        '{"a":"\\ud800"}',
        '{"a":1,"a":2}',
      ]) {
        const answer = await server.call(endpoint.method, path, { token, body: text })
        assert.ok(isRefusal(answer), `${text.slice(0, 20)}: ${describeAnswer(answer)}`)
      }
      const large = await server.call(endpoint.method, path, {
        token,
        body: JSON.stringify({ a: 'x'.repeat(1_100_000) }),
      })
      assert.ok(isRefusal(large), describeAnswer(large))
    })
  }
})
