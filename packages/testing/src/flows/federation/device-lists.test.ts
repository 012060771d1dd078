// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '@myelin/matrix/json'
import { RemoteError } from '@myelin/remote/remote-error'
import { signJson, signingKeyFromSeed } from '@myelin/matrix/signatures'
import { onEveryDatabase } from '../../databases.ts'
import type { TestNetwork } from '../../network.ts'
import type { TestServer } from '../../server.ts'
import { tamperAnswers } from '../../tampered-answers.ts'
import { onTwoServers } from '../../two-servers.ts'
import type { Person } from '../../two-servers.ts'

const ownKeys = ({ userId, deviceId }: Person, key: string): JsonObject => ({
  user_id: userId,
  device_id: deviceId,
  algorithms: ['m.olm.v1.curve25519-aes-sha2', 'm.megolm.v1.aes-sha2'],
  keys: { [`ed25519:${deviceId}`]: key, [`curve25519:${deviceId}`]: key },
  signatures: {},
})

async function upload(server: TestServer, who: Person, key: string): Promise<void> {
  const body = { device_keys: ownKeys(who, key) }
  const { status } = await server.call('POST', '/_matrix/client/v3/keys/upload', { token: who.token, body })
  assert.equal(status, 200)
}

type Queried = {
  device_keys: Record<string, Record<string, { keys: Record<string, string> }>>
  master_keys?: Record<string, { keys: Record<string, string> }>
}

async function query(server: TestServer, who: Person, whom: Person): Promise<Queried> {
  const body = { device_keys: { [whom.userId]: [] } }
  const answer = await server.call('POST', '/_matrix/client/v3/keys/query', { token: who.token, body })
  assert.equal(answer.status, 200)
  return answer.body as Queried
}

/** The devices a user has, as another sees them: each by its key. */
async function devicesSeen(server: TestServer, who: Person, whom: Person): Promise<string[]> {
  const { device_keys: keys } = await query(server, who, whom)
  return Object.entries(keys[whom.userId] ?? {}).map(([id, device]) => device.keys[`ed25519:${id}`] ?? '')
}

async function changedFor(server: TestServer, who: Person, since: string): Promise<{ changed: unknown; next: string }> {
  const path = `/_matrix/client/v3/sync?timeout=0${since && `&since=${since}`}`
  const { body } = await server.call('GET', path, { token: who.token })
  const lists = (body['device_lists'] ?? {}) as { changed?: string[] }
  return { changed: lists.changed ?? [], next: String(body['next_batch']) }
}

const asked = (network: TestNetwork, what: string) =>
  network.crossings.filter(({ target }) => target.startsWith(`/_matrix/federation/v1/user/${what}`)).length

onEveryDatabase('the devices of users elsewhere', (open) => {
  test('are kept once they were asked for, and their changes come by themselves', () =>
    onTwoServers(open, async ({ network, alice, bob, one, two, settled }) => {
      const { next } = await changedFor(one(), alice, '')
      await upload(two(), bob, 'first')
      await settled()
      const shown = await changedFor(one(), alice, next)
      assert.deepEqual(shown.changed, [bob.userId])
      assert.deepEqual(await devicesSeen(one(), alice, bob), ['first'])
      const before = [asked(network, 'keys'), asked(network, 'devices')]
      await upload(two(), bob, 'second')
      await settled()
      assert.deepEqual((await changedFor(one(), alice, shown.next)).changed, [bob.userId])
      assert.deepEqual(await devicesSeen(one(), alice, bob), ['second'])
      assert.deepEqual([asked(network, 'keys'), asked(network, 'devices')], before)
    }))

  test('are gone once they were deleted', () =>
    onTwoServers(open, async ({ network, alice, bob, one, two, settled }) => {
      await upload(two(), bob, 'first')
      await settled()
      assert.deepEqual(await devicesSeen(one(), alice, bob), ['first'])
      const { next } = await changedFor(one(), alice, '')
      const before = asked(network, 'keys')
      assert.equal((await two().call('POST', '/_matrix/client/v3/logout', { token: bob.token, body: {} })).status, 200)
      await settled()
      assert.deepEqual((await changedFor(one(), alice, next)).changed, [bob.userId])
      assert.deepEqual(await devicesSeen(one(), alice, bob), [])
      assert.equal(asked(network, 'keys'), before)
    }))

  test('come with the keys that vouch for them', () =>
    onTwoServers(open, async ({ network, alice, bob, one, two, settled }) => {
      await upload(two(), bob, 'first')
      await settled()
      const before = asked(network, 'keys')
      const key = signingKeyFromSeed('x', Buffer.alloc(32, 7))
      const name = Buffer.from(key.publicKey).toString('base64').replace(/=+$/, '')
      const master = signJson(
        { user_id: bob.userId, usage: ['master'], keys: { [`ed25519:${name}`]: name } },
        bob.userId,
        key,
      )
      const body = { master_key: master }
      const path = '/_matrix/client/v3/keys/device_signing/upload'
      assert.equal((await two().call('POST', path, { token: bob.token, body })).status, 200)
      await settled()
      const seen = await query(one(), alice, bob)
      assert.deepEqual(seen.master_keys?.[bob.userId]?.keys, { [`ed25519:${name}`]: name })
      assert.equal(asked(network, 'keys'), before)
    }))

  test('are sent after a partition and a restart', () =>
    onTwoServers(open, async ({ network, alice, bob, one, two, settled }) => {
      await upload(two(), bob, 'first')
      await settled()
      network.partition(['one.test'], ['two.test'])
      await upload(two(), bob, 'second')
      await settled()
      await network.restart('two.test')
      network.heal()
      const { next } = await changedFor(one(), alice, '')
      await network.settle(async () => (await devicesSeen(one(), alice, bob)).join() === 'second')
      await network.settle(async () => String((await changedFor(one(), alice, next)).changed) === bob.userId)
    }))

  test('are fetched anew where a change was missed', () =>
    onTwoServers(open, async ({ network, alice, bob, one, two, settled, sendEdus }) => {
      await upload(two(), bob, 'first')
      await settled()
      const before = asked(network, 'devices')
      const content = { user_id: bob.userId, device_id: 'FORGED', stream_id: 2 ** 40, prev_id: [2 ** 39], keys: {} }
      await sendEdus({ edu_type: 'm.device_list_update', content })
      await settled()
      assert.equal(asked(network, 'devices'), before + 1)
      assert.deepEqual(await devicesSeen(one(), alice, bob), ['first'])
    }))

  test('are reported as changed again once their unreachable server has answered', () =>
    onTwoServers(open, async ({ network, alice, bob, one, two, settled, sendEdus }) => {
      await upload(two(), bob, 'first')
      await settled()
      let isAway = true
      tamperAnswers(one().rt.remote, async (_server, _request, honest) => {
        if (isAway) throw new RemoteError('unreachable', 'no answer')
        return honest()
      })
      const { next } = await changedFor(one(), alice, '')
      const content = { user_id: bob.userId, device_id: 'FORGED', stream_id: 2 ** 40, prev_id: [2 ** 39], keys: {} }
      await sendEdus({ edu_type: 'm.device_list_update', content })
      await settled()
      const shown = await changedFor(one(), alice, next)
      assert.deepEqual(shown.changed, [bob.userId])
      assert.deepEqual(await devicesSeen(one(), alice, bob), [])
      isAway = false
      network.clock.advance(31_000)
      await network.settle(
        async () => String((await changedFor(one(), alice, shown.next)).changed) === bob.userId,
        60_000,
      )
      assert.deepEqual(await devicesSeen(one(), alice, bob), ['first'])
    }))

  test('are fetched after a restart where their server was away before it', () =>
    onTwoServers(open, async ({ network, alice, bob, one, two, settled, sendEdus }) => {
      await upload(two(), bob, 'first')
      await settled()
      tamperAnswers(one().rt.remote, async (_server, request, honest) => {
        if (request.target.includes('/user/devices/')) throw new RemoteError('unreachable', 'no answer')
        return honest()
      })
      const content = { user_id: bob.userId, device_id: 'FORGED', stream_id: 2 ** 40, prev_id: [2 ** 39], keys: {} }
      await sendEdus({ edu_type: 'm.device_list_update', content })
      await settled()
      const before = asked(network, 'devices')
      await network.restart('one.test')
      await settled()
      assert.equal(asked(network, 'devices'), before, 'not before it is due')
      network.clock.advance(31_000)
      await network.settle(() => asked(network, 'devices') > before, 60_000)
      await settled()
      assert.equal(asked(network, 'devices'), before + 1)
      const queries = asked(network, 'keys')
      assert.deepEqual(await devicesSeen(one(), alice, bob), ['first'])
      assert.equal(asked(network, 'keys'), queries)
      network.clock.jump(3_600_000)
      await settled()
      assert.equal(asked(network, 'devices'), before + 1, 'and not again')
    }))

  test('are asked for where what we keep cannot be relied on', () =>
    onTwoServers(open, async ({ network, room, alice, bob, one, two, settled }) => {
      await upload(two(), bob, 'first')
      await settled()
      await room.member(alice.userId, bob.userId, 'leave')
      await settled()
      const before = asked(network, 'keys')
      await devicesSeen(one(), alice, bob)
      assert.equal(asked(network, 'keys'), before + 1)
    }))

  for (const edu of ['m.device_list_update', 'm.signing_key_update']) {
    test(`are reported as changed for a user who is only invited (${edu})`, () =>
      onTwoServers(open, async ({ network, room, alice, bob, one, two, sendEdus, settled }) => {
        await upload(two(), bob, 'first')
        await room.member(bob.userId, bob.userId, 'leave')
        await room.member(alice.userId, bob.userId, 'invite')
        await settled()
        const { next } = await changedFor(one(), alice, '')
        const update = { device_id: bob.deviceId, stream_id: 5, prev_id: [4] }
        await sendEdus({ edu_type: edu, content: { user_id: bob.userId, ...update } })
        await settled()
        const shown = await changedFor(one(), alice, next)
        assert.deepEqual(shown.changed, [bob.userId])
        const before = asked(network, 'keys')
        assert.deepEqual(await devicesSeen(one(), alice, bob), ['first'])
        assert.equal(asked(network, 'keys'), before + 1)
        await room.member(bob.userId, bob.userId, 'leave')
        const { next: later } = await changedFor(one(), alice, shown.next)
        await sendEdus({ edu_type: edu, content: { user_id: bob.userId, ...update, stream_id: 6 } })
        await settled()
        assert.deepEqual((await changedFor(one(), alice, later)).changed, [])
      }))
  }

  test('are accepted only from their own server, and only where a room is shared', () =>
    onTwoServers(open, async ({ network, alice, one, sendEdus, settled }) => {
      const { next } = await changedFor(one(), alice, '')
      const before = asked(network, 'devices')
      for (const user of [alice.userId, '@carol:three.test', '@stranger:two.test']) {
        const content = { user_id: user, device_id: 'X', stream_id: 5, prev_id: [], keys: {} }
        await sendEdus({ edu_type: 'm.device_list_update', content })
        await sendEdus({
          edu_type: 'm.signing_key_update',
          content: { user_id: user, master_key: { user_id: user, keys: {} } },
        })
      }
      await settled()
      assert.deepEqual((await changedFor(one(), alice, next)).changed, [])
      assert.equal(asked(network, 'devices'), before)
    }))
})
