// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as sdk from 'matrix-js-sdk'
import { CryptoEvent } from 'matrix-js-sdk/lib/crypto-api/index.js'
import { logger } from 'matrix-js-sdk/lib/logger.js'
import { registerUsers } from '../../../../bench/client.ts'
import { startOwnServer } from '../../../../bench/own-server.ts'
import type { OwnServer } from '../../../../bench/own-server.ts'

// The client tells a lot; a test says what failed by itself.
;(logger as unknown as { disableAll(): void }).disableAll()

// What bench/client.ts registers its users with.
const PASSWORD = 'bench'

/** Logs a new device in, with encryption, and follows /sync until it is up to date. */
async function newDevice(server: OwnServer, user: string): Promise<sdk.MatrixClient> {
  const bare = sdk.createClient({ baseUrl: server.url })
  const login = await bare.loginRequest({
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user },
    password: PASSWORD,
  })
  const secrets = new Map<string, Uint8Array<ArrayBuffer>>()
  const client = sdk.createClient({
    baseUrl: server.url,
    userId: login.user_id,
    deviceId: login.device_id,
    accessToken: login.access_token,
    cryptoCallbacks: {
      cacheSecretStorageKey: (id, _, key) => void secrets.set(id, key),
      getSecretStorageKey: async ({ keys }) => {
        for (const id of Object.keys(keys)) {
          const key = secrets.get(id) ?? secrets.get('recovery')
          if (key) return [id, key]
        }
        return null
      },
    },
  })
  unlock.set(client, (key) => void secrets.set('recovery', key))
  await client.initRustCrypto({ useIndexedDB: false })
  await client.startClient({ initialSyncLimit: 20 })
  await until(
    client,
    sdk.ClientEvent.Sync,
    () => client.isInitialSyncComplete() && client.getSyncState() === sdk.SyncState.Syncing,
  )
  return client
}

const unlock = new WeakMap<sdk.MatrixClient, (key: Uint8Array<ArrayBuffer>) => void>()

/** Resolves once a condition holds; looked at now and at every event of one name. */
async function until(client: sdk.MatrixClient, event: string, holds: () => boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const emitter = client as unknown as {
    on(name: string, heard: () => void): void
    off(name: string, heard: () => void): void
  }
  const look = () => holds() && resolve()
  emitter.on(event, look)
  look()
  await promise
  emitter.off(event, look)
}

/** Makes cross-signing keys, secret storage and a key backup; answers the recovery key. */
async function setUpCrossSigning(client: sdk.MatrixClient): Promise<Uint8Array<ArrayBuffer>> {
  const crypto = cryptoOf(client)
  await crypto.bootstrapCrossSigning({
    authUploadDeviceSigningKeys: async (send) => {
      await send({
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: client.getUserId() ?? '' },
        password: PASSWORD,
      })
    },
  })
  const recovery = await crypto.createRecoveryKeyFromPassphrase()
  await crypto.bootstrapSecretStorage({
    createSecretStorageKey: async () => recovery,
    setupNewKeyBackup: true,
    setupNewSecretStorage: true,
  })
  return recovery.privateKey
}

/** Resolves once a client has heard of a device: before that it would encrypt past it. */
async function knows(client: sdk.MatrixClient, other: sdk.MatrixClient): Promise<void> {
  const [user, device] = [other.getUserId() ?? '', other.getDeviceId() ?? '']
  const isKnown = async () => (await cryptoOf(client).getUserDeviceInfo([user])).get(user)?.has(device) ?? false
  while (!(await isKnown())) await new Promise<void>((resolve) => client.once(sdk.ClientEvent.Sync, () => resolve()))
}

function cryptoOf(client: sdk.MatrixClient) {
  const crypto = client.getCrypto()
  if (!crypto) throw new Error('the client has no encryption')
  return crypto
}

/** The texts a client can read in a room. */
function readable(client: sdk.MatrixClient, roomId: string): string[] {
  const events = client.getRoom(roomId)?.getLiveTimeline().getEvents() ?? []
  return events
    .filter((event) => event.getType() === 'm.room.message' && !event.isDecryptionFailure())
    .map((event) => String(event.getContent()['body']))
}

async function reads(client: sdk.MatrixClient, roomId: string, text: string): Promise<void> {
  const look = () => readable(client, roomId).includes(text)
  await Promise.race([
    until(client, sdk.MatrixEventEvent.Decrypted, look),
    until(client, sdk.RoomEvent.Timeline, look),
    until(client, sdk.ClientEvent.Sync, look),
  ])
}

async function say(client: sdk.MatrixClient, roomId: string, body: string): Promise<void> {
  await client.sendMessage(roomId, { msgtype: sdk.MsgType.Text, body })
}

test('two people with two devices each hold an encrypted conversation, through a crash, and a new device reads it from the backup', {
  timeout: 120_000,
}, async () => {
  const server = await startOwnServer()
  const clients: sdk.MatrixClient[] = []
  try {
    const open = async (user: string) => {
      const client = await newDevice(server, user)
      clients.push(client)
      return client
    }
    for (const client of await registerUsers(server.url, server.secret, ['alice', 'bob'])) client.close()
    const [alice, bob] = [await open('alice'), await open('bob')]
    const recoveryKey = await setUpCrossSigning(alice)
    await setUpCrossSigning(bob)
    assert.equal(await cryptoOf(alice).isCrossSigningReady(), true)

    const { room_id: room } = await alice.createRoom({
      preset: sdk.Preset.PrivateChat,
      invite: [bob.getUserId() ?? ''],
      initial_state: [{ type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } }],
    })
    await until(bob, sdk.ClientEvent.Sync, () => bob.getRoom(room)?.getMyMembership() === 'invite')
    await bob.joinRoom(room)
    await until(
      alice,
      sdk.RoomMemberEvent.Membership,
      () => alice.getRoom(room)?.getMember(bob.getUserId() ?? '')?.membership === 'join',
    )
    await say(alice, room, 'hello bob')
    await reads(bob, room, 'hello bob')
    await say(bob, room, 'hello alice')
    await reads(alice, room, 'hello alice')

    await server.kill()
    await server.restart()
    await say(alice, room, 'still there?')
    await reads(bob, room, 'still there?')

    const [alice2, bob2] = [await open('alice'), await open('bob')]
    for (const client of [bob, alice2]) for (const other of [alice, alice2, bob, bob2]) await knows(client, other)
    await say(bob, room, 'to all four')
    for (const client of [alice, alice2, bob2]) await reads(client, room, 'to all four')
    await say(alice2, room, 'from the second')
    for (const client of [alice, bob, bob2]) await reads(client, room, 'from the second')

    await cryptoOf(alice).checkKeyBackupAndEnable()
    await backedUp(alice)
    const newPhone = await open('alice')
    unlock.get(newPhone)?.(recoveryKey)
    await cryptoOf(newPhone).bootstrapCrossSigning({})
    await cryptoOf(newPhone).loadSessionBackupPrivateKeyFromSecretStorage()
    const restored = await cryptoOf(newPhone).restoreKeyBackup()
    assert.ok(restored.imported >= 2, `${restored.imported} of ${restored.total} keys restored`)
    for (const text of ['hello bob', 'hello alice', 'still there?']) await reads(newPhone, room, text)
    assert.equal(
      (await cryptoOf(newPhone).getDeviceVerificationStatus(newPhone.getUserId() ?? '', newPhone.getDeviceId() ?? ''))
        ?.crossSigningVerified,
      true,
    )
  } finally {
    for (const client of clients) client.stopClient()
    await server.close()
  }
})

/** Resolves when the server holds every session this device knows. */
async function backedUp(client: sdk.MatrixClient): Promise<void> {
  const crypto = cryptoOf(client)
  const sessions = JSON.parse(await crypto.exportRoomKeysAsJson()) as unknown[]
  for (;;) {
    // Listen first, then look: an upload may end in between.
    const uploaded = new Promise<void>((resolve) =>
      client.once(CryptoEvent.KeyBackupSessionsRemaining, () => resolve()),
    )
    if (((await crypto.getKeyBackupInfo())?.count ?? 0) >= sessions.length) return
    await uploaded
  }
}
