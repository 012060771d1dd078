// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ROOM_VERSIONS } from '@myelin/rules/room-versions'
import { testServer } from '@myelin/testing/server'
import type { Answer, TestServer } from '@myelin/testing/server'

const at = (room: string, rest: string) => `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/${rest}`
const text = (body: string) => ({ msgtype: 'm.text', body })
const codeOf = ({ status, body }: Answer) => (status === 200 ? '200' : `${status} ${String(body['errcode'])}`)

const tokenIn = (body: Record<string, unknown>) => body['end'] as string

describe('rooms', () => {
  let server: TestServer
  let alice: { userId: string; token: string }
  let bob: { userId: string; token: string }
  let carol: { userId: string; token: string }
  before(async () => {
    server = await testServer()
    alice = await server.register('alice')
    bob = await server.register('bob')
    carol = await server.register('carol')
  })
  after(() => server.close())

  const create = async (body: object = {}, token = alice.token) => {
    const answer = await server.call('POST', '/_matrix/client/v3/createRoom', { token, body })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return String(answer.body['room_id'])
  }
  const join = (room: string, token: string) => server.call('POST', at(room, 'join'), { token, body: {} })
  const state = async (room: string, type: string, token = alice.token) =>
    (await server.call('GET', at(room, `state/${type}/`), { token })).body
  const send = async (room: string, token: string, txn: string, body: object = text('hi')) =>
    server.call('PUT', at(room, `send/m.room.message/${txn}`), { token, body })

  for (const version of ROOM_VERSIONS.keys()) {
    test(`are created, joined and used, in version ${version}`, async () => {
      const room = await create({ room_version: version, preset: 'public_chat', name: 'a name', topic: 'a topic' })
      assert.equal((await join(room, bob.token)).status, 200)
      const sent = await send(room, bob.token, '1')
      assert.equal(sent.status, 200, JSON.stringify(sent.body))
      const redacted = await server.call(
        'PUT',
        at(room, `redact/${encodeURIComponent(String(sent.body['event_id']))}/2`),
        { token: alice.token, body: { reason: 'no' } },
      )
      assert.equal(redacted.status, 200, JSON.stringify(redacted.body))
      const event = (
        await server.call('GET', at(room, `event/${encodeURIComponent(String(sent.body['event_id']))}`), {
          token: bob.token,
        })
      ).body
      assert.deepEqual(event['content'], {})
      const because = (
        event['unsigned'] as { redacted_because: { event_id: string; redacts: string; content: { redacts: string } } }
      ).redacted_because
      assert.equal(because.event_id, redacted.body['event_id'])
      assert.equal(because.redacts, sent.body['event_id'])
      assert.equal(because.content.redacts, sent.body['event_id'])
      assert.equal((await state(room, 'm.room.create'))['room_version'] ?? '1', version)
    })
  }

  test('have the state of their preset', async () => {
    const rooms = { private_chat: 'invite', trusted_private_chat: 'invite', public_chat: 'public' }
    for (const [preset, rule] of Object.entries(rooms)) {
      assert.equal((await state(await create({ preset }), 'm.room.join_rules'))['join_rule'], rule)
    }
    assert.equal((await state(await create({ visibility: 'public' }), 'm.room.join_rules'))['join_rule'], 'public')
  })

  test('let initial state override the preset, and `name` override initial state', async () => {
    const room = await create({
      preset: 'private_chat',
      name: 'wins',
      initial_state: [
        { type: 'm.room.join_rules', state_key: '', content: { join_rule: 'public' } },
        { type: 'm.room.name', state_key: '', content: { name: 'loses' } },
      ],
    })
    assert.equal((await state(room, 'm.room.join_rules'))['join_rule'], 'public')
    assert.equal((await state(room, 'm.room.name'))['name'], 'wins')
  })

  const badBodies: [string, object, string][] = [
    ['an unknown version', { room_version: '99' }, '400 M_UNSUPPORTED_ROOM_VERSION'],
    ['a version that is no string', { room_version: 9 }, '400 M_BAD_JSON'],
    ['an unknown preset', { preset: 'secret' }, '400 M_BAD_JSON'],
    ['an invite that is no user id', { invite: ['bob'] }, '400 M_BAD_JSON'],
    ['an alias that is none', { room_alias_name: 'a:b' }, '400 M_INVALID_PARAM'],
    [
      'power levels that lock the creator out',
      { room_version: '11', power_level_content_override: { users: {}, state_default: 100 } },
      '400 M_INVALID_ROOM_STATE',
    ],
    [
      'a member in the initial state',
      { initial_state: [{ type: 'm.room.member', state_key: '@x:one.test', content: { membership: 'join' } }] },
      '400 M_INVALID_ROOM_STATE',
    ],
    ['additional creators that are none', { creation_content: { additional_creators: ['x'] } }, '400 M_BAD_JSON'],
  ]
  for (const [what, body, expected] of badBodies) {
    test(`are not created with ${what}, and leave nothing behind`, async () => {
      const joined = async () =>
        (await server.call('GET', '/_matrix/client/v3/joined_rooms', { token: alice.token })).body
      const before = await joined()
      assert.equal(
        codeOf(await server.call('POST', '/_matrix/client/v3/createRoom', { token: alice.token, body })),
        expected,
      )
      assert.deepEqual(await joined(), before)
    })
  }

  test('accept a message once per transaction id', async () => {
    const room = await create({ preset: 'public_chat' })
    await join(room, bob.token)
    const [first, again, other] = [
      await send(room, alice.token, 'same'),
      await send(room, alice.token, 'same'),
      await send(room, bob.token, 'same'),
    ]
    assert.equal(again.body['event_id'], first.body['event_id'])
    assert.notEqual(other.body['event_id'], first.body['event_id'])
    const together = await Promise.all(Array.from({ length: 6 }, () => send(room, alice.token, 'at once')))
    assert.equal(new Set(together.map(({ body }) => body['event_id'])).size, 1)
  })

  const refused: [string, () => Promise<Answer>, string][] = [
    ['sending where one is not', async () => send(await create(), bob.token, '1'), '403 M_FORBIDDEN'],
    ['sending where no room is', () => send('!nowhere:one.test', bob.token, '1'), '403 M_FORBIDDEN'],
    [
      'a message without a body',
      async () => send(await create(), alice.token, '1', { msgtype: 'm.text' }),
      '400 M_BAD_JSON',
    ],
    [
      'a number no server can sign',
      async () => server.call('PUT', at(await create(), 'send/m.test/1'), { token: alice.token, body: '{"a":1.5}' }),
      '400 M_BAD_JSON',
    ],
    [
      'an event over 64 KiB',
      async () => send(await create(), alice.token, '1', text('x'.repeat(66_000))),
      '413 M_TOO_LARGE',
    ],
    [
      'a type over 255 bytes',
      async () => server.call('PUT', at(await create(), `send/${'é'.repeat(128)}/1`), { token: alice.token, body: {} }),
      '413 M_TOO_LARGE',
    ],
    [
      'a second create event',
      async () => server.call('PUT', at(await create(), 'state/m.room.create/'), { token: alice.token, body: {} }),
      '403 M_FORBIDDEN',
    ],
    [
      'state with the user id of another user as its key',
      async () =>
        server.call('PUT', at(await create(), `state/m.test/${bob.userId}`), { token: alice.token, body: {} }),
      '403 M_FORBIDDEN',
    ],
    [
      'power levels in strings',
      async () =>
        server.call('PUT', at(await create({ room_version: '9' }), 'state/m.room.power_levels/'), {
          token: alice.token,
          body: { users_default: '5' },
        }),
      '400 M_BAD_JSON',
    ],
    [
      'an alias of another room',
      async () =>
        server.call('PUT', at(await create(), 'state/m.room.canonical_alias/'), {
          token: alice.token,
          body: { alias: '#none:one.test' },
        }),
      '400 M_BAD_ALIAS',
    ],
    ['joining uninvited', async () => join(await create(), bob.token), '403 M_FORBIDDEN'],
    ['joining what is not there', () => join('!nowhere:one.test', bob.token), '404 M_UNKNOWN'],
    [
      'inviting to a room one is not in',
      async () =>
        server.call('POST', at(await create(), 'invite'), { token: bob.token, body: { user_id: carol.userId } }),
      '403 M_FORBIDDEN',
    ],
    [
      'kicking the absent',
      async () =>
        server.call('POST', at(await create(), 'kick'), { token: alice.token, body: { user_id: bob.userId } }),
      '403 M_FORBIDDEN',
    ],
    [
      'unbanning a user who is not banned',
      async () =>
        server.call('POST', at(await create(), 'unban'), { token: alice.token, body: { user_id: bob.userId } }),
      '403 M_BAD_STATE',
    ],
    [
      'forgetting a room one is in',
      async () => server.call('POST', at(await create(), 'forget'), { token: alice.token, body: {} }),
      '400 M_UNKNOWN',
    ],
    [
      'leaving a room one never entered',
      async () => server.call('POST', at(await create(), 'leave'), { token: bob.token, body: {} }),
      '403 M_FORBIDDEN',
    ],
    [
      'an unknown membership',
      async () =>
        server.call('PUT', at(await create(), `state/m.room.member/${bob.userId}`), {
          token: alice.token,
          body: { membership: 'guest' },
        }),
      '400 M_BAD_JSON',
    ],
    [
      'redacting an event that is not here, without the power to redact',
      async () => {
        const room = await create({ preset: 'public_chat' })
        await join(room, bob.token)
        return server.call('PUT', at(room, 'redact/$nothing/1'), { token: bob.token, body: {} })
      },
      '404 M_NOT_FOUND',
    ],
    [
      'a page from a token of another server',
      async () => server.call('GET', at(await create(), 'messages?dir=b&from=t47'), { token: alice.token }),
      '400 M_INVALID_PARAM',
    ],
    [
      'a page in an unknown direction',
      async () => server.call('GET', at(await create(), 'messages?dir=sideways'), { token: alice.token }),
      '400 M_INVALID_PARAM',
    ],
    [
      'state that is not there',
      async () => server.call('GET', at(await create(), 'state/m.none/'), { token: alice.token }),
      '404 M_NOT_FOUND',
    ],
  ]
  for (const [what, attempt, expected] of refused) {
    test(`refuse ${what}`, async () => assert.equal(codeOf(await attempt()), expected))
  }

  test('refuse a duplicate reaction until the first is redacted', async () => {
    const room = await create()
    const { body } = await send(room, alice.token, 'r')
    const react = (txn: string) =>
      server.call('PUT', at(room, `send/m.reaction/${txn}`), {
        token: alice.token,
        body: { 'm.relates_to': { rel_type: 'm.annotation', event_id: body['event_id'], key: '👍' } },
      })
    const first = await react('1')
    assert.equal(codeOf(await react('2')), '400 M_DUPLICATE_ANNOTATION')
    await server.call('PUT', at(room, `redact/${encodeURIComponent(String(first.body['event_id']))}/3`), {
      token: alice.token,
      body: {},
    })
    assert.equal(codeOf(await react('4')), '200')
  })

  test('refuse a banned user until the ban is lifted', async () => {
    const room = await create({ preset: 'public_chat' })
    await join(room, bob.token)
    assert.equal(
      codeOf(
        await server.call('POST', at(room, 'ban'), {
          token: alice.token,
          body: { user_id: bob.userId, reason: 'spam' },
        }),
      ),
      '200',
    )
    assert.equal(codeOf(await join(room, bob.token)), '403 M_BAD_STATE')
    assert.equal(
      codeOf(await server.call('POST', at(room, 'leave'), { token: bob.token, body: {} })),
      '403 M_FORBIDDEN',
    )
    assert.equal(
      codeOf(await server.call('POST', at(room, 'unban'), { token: alice.token, body: { user_id: bob.userId } })),
      '200',
    )
    assert.equal(codeOf(await join(room, bob.token)), '200')
  })

  test('admit members of an allowed room to a restricted one, and no others', async () => {
    const club = await create({ preset: 'public_chat' })
    const room = await create({
      initial_state: [
        {
          type: 'm.room.join_rules',
          state_key: '',
          content: { join_rule: 'restricted', allow: [{ type: 'm.room_membership', room_id: club }] },
        },
      ],
    })
    assert.equal(codeOf(await join(room, bob.token)), '403 M_FORBIDDEN')
    await join(club, bob.token)
    assert.equal(codeOf(await join(room, bob.token)), '200')
  })

  test('return their whole history in pages, in both directions', async () => {
    const room = await create()
    for (let index = 0; index < 12; index++) await send(room, alice.token, `p${index}`, text(`${index}`))
    for (const direction of ['b', 'f']) {
      const seen: string[] = []
      let from = ''
      for (let page = 0; page < 20; page++) {
        const { body } = await server.call('GET', at(room, `messages?dir=${direction}&limit=4${from}`), {
          token: alice.token,
        })
        const chunk = body['chunk'] as { event_id: string }[]
        seen.push(...chunk.map(({ event_id: id }) => id))
        if (body['end'] === undefined) break
        from = `&from=${tokenIn(body)}`
      }
      const whole = await server.call('GET', at(room, `messages?dir=${direction}&limit=1000`), { token: alice.token })
      assert.deepEqual(
        seen,
        (whole.body['chunk'] as { event_id: string }[]).map(({ event_id: id }) => id),
      )
      assert.equal(new Set(seen).size, seen.length)
    }
  })

  test('return an event with its context', async () => {
    const room = await create()
    const ids: string[] = []
    for (let index = 0; index < 7; index++)
      ids.push(String((await send(room, alice.token, `c${index}`)).body['event_id']))
    const { body } = await server.call('GET', at(room, `context/${encodeURIComponent(ids[3] ?? '')}?limit=4`), {
      token: alice.token,
    })
    const idsOf = (name: string) => (body[name] as { event_id: string }[]).map(({ event_id: id }) => id)
    assert.deepEqual(idsOf('events_before'), [ids[2], ids[1]])
    assert.deepEqual(idsOf('events_after'), [ids[4], ids[5]])
    assert.equal((body['event'] as { event_id: string }).event_id, ids[3])
    const onward = await server.call('GET', at(room, `messages?dir=f&from=${tokenIn(body)}&limit=10`), {
      token: alice.token,
    })
    assert.deepEqual(
      (onward.body['chunk'] as { event_id: string }[]).map(({ event_id: id }) => id),
      [ids[6]],
    )
  })
})
