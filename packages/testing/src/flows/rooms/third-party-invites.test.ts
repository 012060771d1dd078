// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeBase64 } from '@myelin/matrix/base64'
import { signJson } from '@myelin/matrix/signatures'
import { onEveryDatabase } from '../../databases.ts'
import { testConfig } from '../../runtime.ts'
import { testServer } from '../../server.ts'
import { identityKey, standInIdentityServer } from '../../stand-in-identity-server.ts'

const v3 = '/_matrix/client/v3'
const ADDRESS = { id_server: 'id.test', id_access_token: 'secret', medium: 'email', address: 'Bob@Example.org' }
type Event = { readonly type: string; readonly state_key: string; readonly content: Record<string, unknown> }

async function scene(open: Parameters<typeof testServer>[0], rooms: Partial<typeof testConfig.rooms> = {}) {
  const identity = standInIdentityServer()
  const config = { rooms: { ...testConfig.rooms, ...rooms } }
  const server = await testServer(open, config, { transport: identity.transport })
  const [alice, bob] = [await server.register('alice'), await server.register('bob')]
  const post = (path: string, body: unknown, token = alice.token) =>
    server.call('POST', `${v3}/${path}`, { token, body })
  const create = async (body: object = {}) => String((await post('createRoom', body)).body['room_id'])
  const invites = async (roomId: string) => {
    const { body } = await server.call('GET', `${v3}/rooms/${encodeURIComponent(roomId)}/state`, { token: alice.token })
    return (body as unknown as readonly Event[])
      .filter(({ type, content }) => type === 'm.room.third_party_invite' || content['membership'] === 'invite')
      .map(({ type, state_key: key }) => `${type} ${key}`)
  }
  return { identity, server, alice, bob, post, create, invites }
}

onEveryDatabase('an invite of an address', (open) => {
  test('goes to the user whom the identity server knows, by the hash of the address', async (t) => {
    const { identity, server, bob, post, create, invites } = await scene(open)
    t.after(() => server.close())
    identity.bindings.set('bob@example.org email', bob.userId)
    const roomId = await create()
    const { status } = await post(`rooms/${encodeURIComponent(roomId)}/invite`, ADDRESS)
    assert.equal(status, 200)
    assert.deepEqual(await invites(roomId), [`m.room.member ${bob.userId}`])
    assert.deepEqual(
      identity.got.map(({ path, authorization }) => [path, authorization]),
      [
        ['hash_details', 'Bearer secret'],
        ['lookup', 'Bearer secret'],
      ],
    )
    assert.ok(!JSON.stringify(identity.got).toLowerCase().includes('bob@example.org'))
  })

  test('waits in the room where no user is known, and becomes an invite when the address is bound', async (t) => {
    const { identity, server, alice, bob, post, create, invites } = await scene(open)
    t.after(() => server.close())
    const roomId = await create({ name: 'The room' })
    const at = `rooms/${encodeURIComponent(roomId)}`
    assert.equal((await post(`${at}/invite`, ADDRESS)).status, 200)
    assert.deepEqual(await invites(roomId), ['m.room.third_party_invite token'])
    const stored = identity.got.at(-1)?.body ?? {}
    assert.deepEqual(
      [stored['address'], stored['sender'], stored['room_name']],
      ['bob@example.org', alice.userId, 'The room'],
    )
    const path = `${v3}/${at}/state/m.room.third_party_invite/token`
    const { body } = await server.call('GET', path, { token: alice.token })
    const key = { public_key: encodeBase64(identityKey.publicKey), key_validity_url: 'https://id.test/isvalid' }
    assert.deepEqual(body, { display_name: 'b...@e...', ...key, public_keys: [key] })
    const signed = signJson({ mxid: bob.userId, token: 'token', sender: alice.userId }, 'id.test', identityKey)
    const bound = { mxid: bob.userId, invites: [{ room_id: roomId, sender: alice.userId, signed }] }
    const answer = await server.call('PUT', '/_matrix/federation/v1/3pid/onbind', { body: bound })
    assert.equal(answer.status, 200)
    assert.ok((await invites(roomId)).includes(`m.room.member ${bob.userId}`))
  })

  test('of a new room follows its creation', async (t) => {
    const { server, post, create, invites } = await scene(open)
    t.after(() => server.close())
    assert.deepEqual(await invites(await create({ invite_3pid: [ADDRESS] })), ['m.room.third_party_invite token'])
    const { address: _, ...without } = ADDRESS
    const refused = await post('createRoom', { invite_3pid: [without] })
    assert.deepEqual([refused.status, refused.body['errcode']], [400, 'M_MISSING_PARAM'])
  })

  test('is refused before the identity server hears of it', async (t) => {
    const { identity, server, bob, post, create, invites } = await scene(open)
    const off = await scene(open, { allowsThirdPartyInvites: false })
    t.after(() => Promise.all([server.close(), off.server.close()]))
    const roomId = await create({ preset: 'public_chat' })
    const invite = `rooms/${encodeURIComponent(roomId)}/invite`
    const cases = [
      [{ ...ADDRESS, medium: 'pigeon' }, 400, 'M_INVALID_PARAM'],
      [{ ...ADDRESS, address: 'nobody' }, 400, 'M_INVALID_PARAM'],
      [{ ...ADDRESS, medium: 'msisdn', address: '+49 1' }, 400, 'M_INVALID_PARAM'],
      [{ ...ADDRESS, id_access_token: undefined }, 400, 'M_MISSING_PARAM'],
      [{ reason: 'nobody at all' }, 400, 'M_MISSING_PARAM'],
    ] as const
    for (const [body, status, code] of cases) {
      const answer = await post(invite, body)
      assert.deepEqual([answer.status, answer.body['errcode']], [status, code], JSON.stringify(body))
    }
    // A member without the power to invite, and a stranger.
    const weak = async () => (await post(invite, ADDRESS, bob.token)).body['errcode']
    assert.equal(await weak(), 'M_FORBIDDEN')
    await post(`rooms/${encodeURIComponent(roomId)}/join`, {}, bob.token)
    assert.equal(await weak(), 'M_FORBIDDEN')
    const ofOff = `rooms/${encodeURIComponent(await off.create())}/invite`
    assert.equal((await off.post(ofOff, ADDRESS)).body['errcode'], 'M_FORBIDDEN')
    assert.deepEqual([identity.got, off.identity.got, await invites(roomId)], [[], [], []])
  })

  test('leaves nothing behind where the identity server fails or answers nonsense', async (t) => {
    const { identity, server, post, create, invites } = await scene(open)
    t.after(() => server.close())
    const roomId = await create()
    const invite = async (body: object = ADDRESS) => {
      const answer = await post(`rooms/${encodeURIComponent(roomId)}/invite`, body)
      assert.deepEqual(await invites(roomId), [])
      return [answer.status, answer.body['errcode']]
    }
    const failing = [502, 'M_UNKNOWN']
    for (const host of ['other.test', 'id.test/path', 'user@id.test', '']) {
      assert.deepEqual(await invite({ ...ADDRESS, id_server: host }), failing, host)
    }
    const answers = [
      ['hash_details', 401, { errcode: 'M_UNAUTHORIZED' }],
      ['hash_details', 200, { algorithms: 'sha256', lookup_pepper: 7 }],
      ['hash_details', 200, '<html>'],
      ['lookup', 200, { mappings: [] }],
      ['store-invite', 200, { token: 'token', display_name: 'x', public_keys: [] }],
      ['store-invite', 200, { token: 'x'.repeat(5000), display_name: 'x', public_keys: [{ public_key: 'k' }] }],
      ['store-invite', 200, 'x'.repeat(100_000)],
    ] as const
    for (const [path, status, body] of answers) {
      identity.answers.clear()
      identity.answers.set(path, { status, body })
      if (path === 'lookup') identity.answers.set('store-invite', { status: 400, body: {} })
      assert.deepEqual(await invite(), failing, `${path} ${JSON.stringify(body).slice(0, 50)}`)
    }
    identity.answers.clear()
    identity.answers.set('lookup', { status: 403, body: { errcode: 'M_TERMS_NOT_SIGNED' } })
    assert.deepEqual(await invite(), [403, 'M_FORBIDDEN'])
  })
})
