// SPDX-License-Identifier: Apache-2.0
import * as sdk from 'matrix-js-sdk'
import { CryptoEvent } from 'matrix-js-sdk/lib/crypto-api/index.js'
import { logger as rootLogger } from 'matrix-js-sdk/lib/logger.js'
import type { Logger } from 'matrix-js-sdk/lib/logger.js'
import { RustBackupManager } from 'matrix-js-sdk/lib/rust-crypto/backup.js'

// The client logs a lot to the root logger and to its own; a failing test reports its own error.
const quiet = () => {}
/** A logger of matrix-js-sdk that writes nothing. */
export const quietLogger: Logger = {
  trace: quiet,
  debug: quiet,
  info: quiet,
  warn: quiet,
  error: quiet,
  getChild: () => quietLogger,
}
Object.assign(rootLogger, quietLogger, { log: quiet })
// The client waits up to ten seconds before it backs up a new key; its documentation lets tests shorten the wait.
Object.assign(RustBackupManager, { maxBackupLoopStartDelayMillis: 0 })

/** The password with which `registerUsers` registers its users. */
export const PASSWORD = 'bench'

/** Logs a new device in, with encryption, and follows /sync until it is up to date; its user may know the recovery key. */
export async function newDevice(
  server: { readonly url: string },
  user: string,
  recoveryKey?: Uint8Array<ArrayBuffer>,
): Promise<sdk.MatrixClient> {
  const bare = sdk.createClient({ baseUrl: server.url, logger: quietLogger })
  const login = await bare.loginRequest({
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user },
    password: PASSWORD,
  })
  const secrets = new Map<string, Uint8Array<ArrayBuffer>>()
  const client = sdk.createClient({
    baseUrl: server.url,
    logger: quietLogger,
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
export async function until(client: sdk.MatrixClient, events: string | string[], holds: () => boolean): Promise<void> {
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

/** Waits until a query returns a value. See {@link until}. */
export async function untilFound(
  client: sdk.MatrixClient,
  event: string,
  holds: () => Promise<boolean>,
): Promise<void> {
  const emitter = client as unknown as { once(name: string, heard: () => void): void }
  for (;;) {
    // Listen first, then look: it may happen in between.
    const next = new Promise<void>((resolve) => emitter.once(event, resolve))
    if (await holds()) return
    await next
  }
}

/** Makes cross-signing keys, secret storage and a key backup; answers the recovery key. */
export async function setUpCrossSigning(client: sdk.MatrixClient): Promise<Uint8Array<ArrayBuffer>> {
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

/** Resolves once a client knows a device; before that it would not encrypt for the device. */
export async function knows(client: sdk.MatrixClient, other: sdk.MatrixClient): Promise<void> {
  const [user, device] = [other.getUserId() ?? '', other.getDeviceId() ?? '']
  await untilFound(
    client,
    sdk.ClientEvent.Sync,
    async () => (await cryptoOf(client).getUserDeviceInfo([user])).get(user)?.has(device) ?? false,
  )
}

/** Resolves once a client has seen that a device's owner signed it. */
export async function trusts(client: sdk.MatrixClient, other: sdk.MatrixClient): Promise<void> {
  const [user, device] = [other.getUserId() ?? '', other.getDeviceId() ?? '']
  await untilFound(
    client,
    CryptoEvent.DevicesUpdated,
    async () => (await cryptoOf(client).getDeviceVerificationStatus(user, device))?.signedByOwner ?? false,
  )
}

/** Returns the encryption of a client; throws if it has none. */
export function cryptoOf(client: sdk.MatrixClient) {
  const crypto = client.getCrypto()
  if (!crypto) throw new Error('the client has no encryption')
  return crypto
}

/** Returns the messages that a client has of a room, readable or not. */
export function messages(client: sdk.MatrixClient, roomId: string): sdk.MatrixEvent[] {
  const events = client.getRoom(roomId)?.getLiveTimeline().getEvents() ?? []
  return events.filter((event) => event.getType() === 'm.room.message')
}

/** Returns the texts that a client can read in a room. */
function readable(client: sdk.MatrixClient, roomId: string): string[] {
  return messages(client, roomId)
    .filter((event) => !event.isDecryptionFailure())
    .map((event) => String(event.getContent()['body']))
}

/** Resolves once a client can read these texts in a room. */
export async function reads(client: sdk.MatrixClient, roomId: string, ...texts: string[]): Promise<void> {
  await until(client, [sdk.MatrixEventEvent.Decrypted, sdk.RoomEvent.Timeline], () =>
    texts.every((text) => readable(client, roomId).includes(text)),
  )
}

/** Sends a text. */
export async function say(client: sdk.MatrixClient, roomId: string, body: string): Promise<void> {
  await client.sendMessage(roomId, { msgtype: sdk.MsgType.Text, body })
}

/**
 * Creates an encrypted room on the host's server and lets the guest, perhaps of another server, join; returns the room
 * ID.
 */
export async function meet(host: sdk.MatrixClient, guest: sdk.MatrixClient): Promise<string> {
  const guestId = guest.getUserId() ?? ''
  const { room_id: room } = await host.createRoom({
    preset: sdk.Preset.PrivateChat,
    invite: [guestId],
    initial_state: [{ type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } }],
  })
  await acceptInvite(guest, room)
  const hasJoined = () => host.getRoom(room)?.getMember(guestId)?.membership === 'join'
  await until(host, sdk.RoomMemberEvent.Membership, hasJoined)
  return room
}

/** Joins a room once the client has seen the invite to it. */
export async function acceptInvite(client: sdk.MatrixClient, roomId: string): Promise<void> {
  await until(client, sdk.ClientEvent.Sync, () => client.getRoom(roomId)?.getMyMembership() === 'invite')
  await client.joinRoom(roomId)
}
