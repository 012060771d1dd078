// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as sdk from 'matrix-js-sdk'
import { Playground } from '../../../../scripts/federated/servers.ts'
import type { HomeServer } from '../../../../scripts/federated/servers.ts'
import {
  cryptoOf,
  knows,
  newDevice,
  PASSWORD,
  reads,
  say,
  setUpCrossSigning,
  trusts,
  until,
} from '../encrypted-client.ts'

async function register({ url }: HomeServer, username: string): Promise<void> {
  const answer = await fetch(`${url}/_matrix/client/v3/register`, {
    method: 'POST',
    body: JSON.stringify({ username, password: PASSWORD, auth: { type: 'm.login.dummy' }, inhibit_login: true }),
  })
  assert.equal(answer.status, 200, await answer.text())
}

/** Makes an encrypted room on the host's server; the guest comes from the other one. */
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

test('two people on two servers hold an encrypted conversation, through a partition, and a new device is seen and gets keys', {
  timeout: 120_000,
}, async () => {
  const playground = new Playground()
  const clients: sdk.MatrixClient[] = []
  const open = async (server: HomeServer, user: string, recoveryKey?: Uint8Array<ArrayBuffer>) => {
    const client = await newDevice(server, user, recoveryKey)
    clients.push(client)
    return client
  }
  try {
    const [one, two] = [await playground.gated('one'), await playground.gated('two')]
    await register(one.server, 'alice')
    await register(two.server, 'bob')
    const [alice, bob] = [await open(one.server, 'alice'), await open(two.server, 'bob')]
    await setUpCrossSigning(alice)
    const recoveryKey = await setUpCrossSigning(bob)
    const room = await meet(alice, bob)
    await knows(alice, bob)
    await knows(bob, alice)
    await say(alice, room, 'hello bob')
    await reads(bob, room, 'hello bob')
    await say(bob, room, 'hello alice')
    await reads(alice, room, 'hello alice')
    await trusts(alice, bob)

    for (const { gate } of [one, two]) gate.shut()
    await say(alice, room, 'are you there?')
    await say(bob, room, 'I hear nothing')
    for (const { gate } of [one, two]) gate.reopen()
    await reads(bob, room, 'are you there?')
    await reads(alice, room, 'I hear nothing')

    const phone = await open(two.server, 'bob', recoveryKey)
    // This fetches the public keys: the private ones are taken from secret storage only beside those.
    assert.equal(await cryptoOf(phone).userHasCrossSigningKeys(phone.getUserId() ?? '', true), true)
    await cryptoOf(phone).bootstrapCrossSigning({})
    await knows(alice, phone)
    await trusts(alice, phone)
    await say(alice, room, 'to both of you')
    await reads(phone, room, 'to both of you')
    await reads(bob, room, 'to both of you')
    await knows(phone, alice)
    await say(phone, room, 'from the phone')
    await reads(alice, room, 'from the phone')
  } finally {
    for (const client of clients) client.stopClient()
    await playground.close()
  }
})
