// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as sdk from 'matrix-js-sdk'
import { CryptoEvent } from 'matrix-js-sdk/lib/crypto-api/index.js'
import { logger as rootLogger } from 'matrix-js-sdk/lib/logger.js'
import type { Logger } from 'matrix-js-sdk/lib/logger.js'
import { RustBackupManager } from 'matrix-js-sdk/lib/rust-crypto/backup.js'
import { registerUsers } from '../../../../bench/client.ts'
import { startOwnServer } from '../../../../bench/own-server.ts'
import type { OwnServer } from '../../../../bench/own-server.ts'
import { createDatabase } from '../databases.ts'

// The client tells a lot; a test says what failed by itself. Some of it asks the root logger, some its client's.
const quiet = () => {}
const logger: Logger = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet, getChild: () => logger }
Object.assign(rootLogger, logger, { log: quiet })
// The client waits up to ten seconds before it backs a new key up, and says that a test may shorten it.
Object.assign(RustBackupManager, { maxBackupLoopStartDelayMillis: 0 })

// What bench/client.ts registers its users with.
const PASSWORD = 'bench'

/** Logs a new device in, with encryption, and follows /sync until it is up to date; its user may know the recovery key. */
async function newDevice(
  server: OwnServer,
  user: string,
  recoveryKey?: Uint8Array<ArrayBuffer>,
): Promise<sdk.MatrixClient> {
  const bare = sdk.createClient({ baseUrl: server.url, logger })
  const login = await bare.loginRequest({
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user },
    password: PASSWORD,
  })
  const secrets = new Map<string, Uint8Array<ArrayBuffer>>()
  const client = sdk.createClient({
    baseUrl: server.url,
    logger,
    userId: login.user_id,
    deviceId: login.device_id,
    accessToken: login.access_token,
    cryptoCallbacks: {
      cacheSecretStorageKey: (id, _, key) => void secrets.set(id, key),
      getSecretStorageKey: async ({ keys }) => {
        for (const id of Object.keys(keys)) {
          const key = secrets.get(id) ?? recoveryKey
          if (key) return [id, key]
        }
        return null
      },
    },
  })
  await client.initRustCrypto({ useIndexedDB: false })
  await client.startClient({ initialSyncLimit: 20 })
  await until(
    client,
    sdk.ClientEvent.Sync,
    () => client.isInitialSyncComplete() && client.getSyncState() === sdk.SyncState.Syncing,
  )
  return client
}

/** Resolves once a condition holds; looked at now and at every event of these names. */
async function until(client: sdk.MatrixClient, events: string | string[], holds: () => boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const emitter = client as unknown as {
    on(name: string, heard: () => void): void
    off(name: string, heard: () => void): void
  }
  const look = () => holds() && resolve()
  for (const event of [events].flat()) emitter.on(event, look)
  look()
  await promise
  for (const event of [events].flat()) emitter.off(event, look)
}

/** As {@link until}, for what must be asked for. */
async function untilFound(client: sdk.MatrixClient, event: string, holds: () => Promise<boolean>): Promise<void> {
  const emitter = client as unknown as { once(name: string, heard: () => void): void }
  for (;;) {
    // Listen first, then look: it may happen in between.
    const next = new Promise<void>((resolve) => emitter.once(event, resolve))
    if (await holds()) return
    await next
  }
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
  await untilFound(
    client,
    sdk.ClientEvent.Sync,
    async () => (await cryptoOf(client).getUserDeviceInfo([user])).get(user)?.has(device) ?? false,
  )
}

/** Resolves once a client has seen that a device's owner signed it. */
async function trusts(client: sdk.MatrixClient, other: sdk.MatrixClient): Promise<void> {
  const [user, device] = [other.getUserId() ?? '', other.getDeviceId() ?? '']
  await untilFound(
    client,
    CryptoEvent.DevicesUpdated,
    async () => (await cryptoOf(client).getDeviceVerificationStatus(user, device))?.signedByOwner ?? false,
  )
}

function cryptoOf(client: sdk.MatrixClient) {
  const crypto = client.getCrypto()
  if (!crypto) throw new Error('the client has no encryption')
  return crypto
}

function messages(client: sdk.MatrixClient, roomId: string): sdk.MatrixEvent[] {
  const events = client.getRoom(roomId)?.getLiveTimeline().getEvents() ?? []
  return events.filter((event) => event.getType() === 'm.room.message')
}

/** The texts a client can read in a room. */
function readable(client: sdk.MatrixClient, roomId: string): string[] {
  return messages(client, roomId)
    .filter((event) => !event.isDecryptionFailure())
    .map((event) => String(event.getContent()['body']))
}

async function reads(client: sdk.MatrixClient, roomId: string, ...texts: string[]): Promise<void> {
  await until(client, [sdk.MatrixEventEvent.Decrypted, sdk.RoomEvent.Timeline], () =>
    texts.every((text) => readable(client, roomId).includes(text)),
  )
}

async function say(client: sdk.MatrixClient, roomId: string, body: string): Promise<void> {
  await client.sendMessage(roomId, { msgtype: sdk.MsgType.Text, body })
}

/** Resolves when the server holds every session this device knows. */
async function backedUp(client: sdk.MatrixClient): Promise<void> {
  const crypto = cryptoOf(client)
  const sessions = JSON.parse(await crypto.exportRoomKeysAsJson()) as unknown[]
  await untilFound(client, CryptoEvent.KeyBackupSessionsRemaining, async () => {
    // This asks the server; getKeyBackupInfo() repeats what the server once said.
    const backup = await crypto.checkKeyBackupAndEnable()
    return (backup?.backupInfo.count ?? 0) >= sessions.length
  })
}

/** Two people meet in an encrypted room, lose their server for a moment, and fetch a second device each. */
async function converse(server: OwnServer, alice: sdk.MatrixClient, open: Open): Promise<string> {
  const bob = await open('bob')
  await setUpCrossSigning(bob)
  const room = await meet(alice, bob)
  await say(alice, room, 'hello bob')
  await reads(bob, room, 'hello bob')
  await say(bob, room, 'hello alice')
  await reads(alice, room, 'hello alice')

  await server.kill()
  await server.restart()
  // As a user would who presses "retry": else they look again after some seconds.
  for (const client of [alice, bob]) client.retryImmediately()
  await say(alice, room, 'still there?')
  await reads(bob, room, 'still there?')

  const [alice2, bob2] = [await open('alice'), await open('bob')]
  for (const client of [bob, alice2]) for (const other of [alice, alice2, bob, bob2]) await knows(client, other)
  await say(bob, room, 'to all four')
  for (const client of [alice, alice2, bob2]) await reads(client, room, 'to all four')
  await say(alice2, room, 'from the second')
  for (const client of [alice, bob, bob2]) await reads(client, room, 'from the second')
  return room
}

type Open = (user: string, recoveryKey?: Uint8Array<ArrayBuffer>) => Promise<sdk.MatrixClient>
const TEXTS = ['hello bob', 'hello alice', 'still there?', 'to all four', 'from the second']

/** Makes an encrypted room with both in it. */
async function meet(host: sdk.MatrixClient, guest: sdk.MatrixClient): Promise<string> {
  const guestId = guest.getUserId() ?? ''
  const { room_id: room } = await host.createRoom({
    preset: sdk.Preset.PrivateChat,
    invite: [guestId],
    initial_state: [{ type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } }],
  })
  await until(guest, sdk.ClientEvent.Sync, () => guest.getRoom(room)?.getMyMembership() === 'invite')
  await guest.joinRoom(room)
  const hasJoined = () => host.getRoom(room)?.getMember(guestId)?.membership === 'join'
  await until(host, sdk.RoomMemberEvent.Membership, hasJoined)
  return room
}

/** A new device that sees all texts and reads none, until its user unlocks the backup. */
async function readsFromBackup(phone: sdk.MatrixClient, room: string): Promise<void> {
  const crypto = cryptoOf(phone)
  await until(
    phone,
    [sdk.MatrixEventEvent.Decrypted, sdk.RoomEvent.Timeline],
    () => messages(phone, room).filter((event) => event.isDecryptionFailure()).length === TEXTS.length,
  )
  // This fetches the public keys: the private ones are taken from secret storage only beside those.
  assert.equal(await crypto.userHasCrossSigningKeys(phone.getUserId() ?? '', true), true)
  await crypto.bootstrapCrossSigning({})
  await crypto.loadSessionBackupPrivateKeyFromSecretStorage()
  const { imported, total } = await crypto.restoreKeyBackup()
  assert.equal(imported, total)
  await reads(phone, room, ...TEXTS)
}

describe('two people with two devices each hold an encrypted conversation, through a crash, and a new device reads it from the backup', () => {
  test('over sqlite', { timeout: 60_000 }, () => conversation())

  test('over postgres', { timeout: 60_000 }, async () => {
    const url = process.env['MYELIN_TEST_POSTGRES']
    if (url === undefined) throw new Error('run tests with npm test: it starts the PostgreSQL they need')
    const database = await createDatabase(url)
    try {
      await conversation(database.url)
    } finally {
      await database.drop()
    }
  })
})

async function conversation(database?: string): Promise<void> {
  const server = await startOwnServer({ database })
  const clients: sdk.MatrixClient[] = []
  const open: Open = async (user, recoveryKey) => {
    const client = await newDevice(server, user, recoveryKey)
    clients.push(client)
    return client
  }
  try {
    for (const client of await registerUsers(server.url, server.secret, ['alice', 'bob'])) client.close()
    const alice = await open('alice')
    const recoveryKey = await setUpCrossSigning(alice)
    assert.equal(await cryptoOf(alice).isCrossSigningReady(), true)
    const room = await converse(server, alice, open)
    await backedUp(alice)
    const phone = await open('alice', recoveryKey)
    await readsFromBackup(phone, room)
    for (const client of [phone, alice]) await trusts(client, phone)
  } finally {
    for (const client of clients) client.stopClient()
    await server.close()
  }
}
