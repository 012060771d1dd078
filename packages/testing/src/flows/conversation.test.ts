// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import * as sdk from 'matrix-js-sdk'
import { CryptoEvent } from 'matrix-js-sdk/lib/crypto-api/index.js'
import { registerUsers } from '../clients/matrix-client.ts'
import { startServerProcess } from '../processes/server-process.ts'
import type { ServerProcess } from '../processes/server-process.ts'
import { createDatabase, testOnPostgres, testOnSqlite } from '../databases.ts'
import {
  cryptoOf,
  knows,
  meet,
  messages,
  newDevice,
  reads,
  say,
  setUpCrossSigning,
  trusts,
  until,
  untilFound,
} from '../clients/encrypted-client.ts'

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
async function converse(server: ServerProcess, alice: sdk.MatrixClient, open: Open): Promise<string> {
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
  testOnSqlite('over sqlite', () => conversation(), { timeout: 60_000 })

  const onPostgres = async () => {
    const database = await createDatabase()
    try {
      await conversation(database.url)
    } finally {
      await database.drop()
    }
  }
  testOnPostgres('over postgres', onPostgres, { timeout: 60_000 })
})

async function conversation(database?: string): Promise<void> {
  const server = await startServerProcess({ database })
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
