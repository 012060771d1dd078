// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodeBase64 } from '@myelin/matrix/base64'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { signJson } from '@myelin/matrix/signatures'
import { membershipIn } from '@myelin/storage/rooms/members/members'
import { openTemporarySqlite } from '@myelin/testing/databases'
import { testNetwork } from '@myelin/testing/network'
import { authorRoom } from '@myelin/testing/room-author'
import { testSigningKey } from '@myelin/testing/runtime'
import type { TestServer } from '@myelin/testing/server'

const [alice, bob] = ['@alice:one.test', '@bob:two.test'] as const
const identityServer = testSigningKey('identity.test')

type Stage = {
  readonly home: TestServer
  readonly away: TestServer
  readonly roomId: RoomId
  readonly bind: (signed: JsonObject, method?: string) => Promise<number>
  readonly standing: () => Promise<string | undefined>
  readonly close: () => Promise<void>
}

/** Alice invited an address, which turns out to be bob's. */
async function stage(): Promise<Stage> {
  const network = await testNetwork({ servers: 2, open: openTemporarySqlite })
  const [home, away] = [network.server('one.test'), network.server('two.test')]
  const { roomId, send } = await authorRoom(home.rt, alice, { preset: 'private_chat' })
  const key = encodeBase64(identityServer.publicKey)
  const keys = { public_key: key, public_keys: [{ public_key: key }], key_validity_url: 'https://identity.test/' }
  await send(alice, 'm.room.third_party_invite', { display_name: 'b...@e...', ...keys }, 'secret')
  return {
    home,
    away,
    roomId,
    bind: async (signed, method = 'POST') => {
      const invite = { address: 'bob@example.org', medium: 'email', mxid: bob, room_id: roomId, sender: alice, signed }
      const body = { address: 'bob@example.org', medium: 'email', mxid: bob, invites: [null, 7, invite] }
      return (await away.call(method, '/_matrix/federation/v1/3pid/onbind', { body })).status
    },
    standing: async () => (await membershipIn(away.rt.db.read, roomId, bob as UserId))?.membership,
    close: () => network.close(),
  }
}

const word = (mxid: string = bob, token = 'secret') => signJson({ mxid, token }, 'identity.test', identityServer)

describe('an invite of an address', () => {
  for (const method of ['PUT', 'POST']) {
    test(`becomes one of the user to whom the address belongs, sent by ${method}`, async () => {
      const { bind, standing, close } = await stage()
      assert.equal(await bind(word(), method), 200)
      assert.equal(await standing(), 'invite')
      await close()
    })
  }

  const words: Readonly<Record<string, JsonObject>> = {
    'another key signed it': signJson({ mxid: bob, token: 'secret' }, 'identity.test', testSigningKey('mallory.test')),
    'it is about another user': word('@carol:two.test'),
    'it has another token': word(bob, 'guess'),
    'nobody signed it': { mxid: bob, token: 'secret' },
  }
  for (const [name, signed] of Object.entries(words)) {
    test(`comes to nothing where ${name}`, async () => {
      const { bind, standing, close } = await stage()
      assert.equal(await bind(signed), 200)
      assert.equal(await standing(), undefined)
      await close()
    })
  }

  test('of a user elsewhere is no business of ours', async () => {
    const { home, close } = await stage()
    const { status } = await home.call('POST', '/_matrix/federation/v1/3pid/onbind', {
      body: { mxid: bob, invites: [] },
    })
    assert.equal(status, 400)
    await close()
  })
})
