// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '@myelin/matrix/json'
import { onEveryDatabase } from '../../databases.ts'
import { appServiceStage, IRC } from '../../stages/app-service-stage.ts'

const v3 = '/_matrix/client/v3'
const BOB = '@_irc_bob:one.test'
const AS_BOB = `user_id=${encodeURIComponent(BOB)}`
const UNSTABLE = 'org.matrix.msc3202.'
const ENCRYPTING = { ...IRC, ephemeralMembers: ['ephemeral'] as const, receivesDeviceLists: true }

/** Returns the stage with bob of the bridge, his device, and a room of his. */
async function encrypting(...[open, t, config]: Parameters<typeof appServiceStage>) {
  const stage = await appServiceStage(open, t, config)
  const { call, irc, settled } = stage
  const type = 'm.login.application_service'
  await call('POST', `${v3}/register`, IRC.asToken, { type, username: '_irc_bob', inhibit_login: true })
  await call('PUT', `${v3}/devices/BRIDGE?${AS_BOB}`, IRC.asToken, { display_name: 'bridge' })
  const made = await call('POST', `${v3}/createRoom?${AS_BOB}`, IRC.asToken, { preset: 'public_chat' })
  await settled()
  irc.taken.length = 0
  const path = `${v3}/rooms/${encodeURIComponent(String(made['room_id']))}`
  /** Returns a member of the transactions that were taken since the last call. */
  const taken = async (...names: string[]) => {
    await settled()
    return irc.taken.splice(0).flatMap(({ body }) => names.map((name) => body[name] as JsonObject))
  }
  const upload = ({ userId, deviceId, token }: { userId: string; deviceId: string; token: string }) =>
    call('POST', `${v3}/keys/upload`, token, {
      device_keys: {
        user_id: userId,
        device_id: deviceId,
        algorithms: [],
        keys: { [`ed25519:${deviceId}`]: 'key' },
        signatures: { [userId]: { [`ed25519:${deviceId}`]: 'signature' } },
      },
    })
  return { ...stage, path, taken, upload }
}

onEveryDatabase('encryption in transactions', (open) => {
  test('is the device lists of users in rooms with users of the service', async (t) => {
    const stage = await encrypting(open, t, { services: [ENCRYPTING] })
    const { call, alice, path, taken, upload, server } = stage
    await upload(await server.register('stranger'))
    const before = await taken('device_lists')
    await call('POST', `${path}/join`, alice.token, {})
    const joined = await taken('device_lists')
    await upload(alice)
    const changed = await taken('device_lists', `${UNSTABLE}device_lists`)
    await call('POST', `${path}/leave`, alice.token, {})
    const left = await taken('device_lists')
    await upload(alice)
    const after = await taken('device_lists')
    const lists = { changed: [alice.userId], left: [] }
    assert.deepEqual([before, after], [[], []])
    assert.deepEqual(joined, [lists])
    assert.deepEqual(changed, [lists, lists])
    assert.deepEqual(left, [{ changed: [], left: [alice.userId] }])
  })

  test('is the key counts of devices that get messages', async (t) => {
    const { call, alice, taken } = await encrypting(open, t, { services: [ENCRYPTING] })
    await call('POST', `${v3}/keys/upload?${AS_BOB}&device_id=BRIDGE`, IRC.asToken, {
      one_time_keys: { 'curve25519:A': 'first', 'curve25519:B': 'second' },
      fallback_keys: { 'curve25519:F': 'last' },
    })
    await call('PUT', `${v3}/sendToDevice/org.example/1`, alice.token, {
      messages: { [BOB]: { BRIDGE: { number: 1 } } },
    })
    const counts = { [BOB]: { BRIDGE: { curve25519: 2, signed_curve25519: 0 } } }
    const names = ['device_one_time_keys_count', `${UNSTABLE}device_one_time_keys_count`]
    const all = await taken(...names, `${UNSTABLE}device_one_time_key_counts`, 'device_unused_fallback_key_types')
    assert.deepEqual(all, [counts, counts, counts, { [BOB]: { BRIDGE: ['curve25519'] } }])
  })

  test('is not sent to a service that did not register for it', async (t) => {
    const { call, alice, path, taken, upload } = await encrypting(open, t)
    await call('POST', `${path}/join`, alice.token, {})
    await upload(alice)
    assert.deepEqual(await taken('device_lists', 'device_one_time_keys_count'), [undefined, undefined])
  })
})
