// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import type * as sdk from 'matrix-js-sdk'
import {
  cryptoOf,
  knows,
  meet,
  newDevice,
  PASSWORD,
  reads,
  say,
  setUpCrossSigning,
  trusts,
} from './encrypted-client.ts'

/** Two servers that federate, and a switch for the network between them. */
export interface Meeting {
  /** The client URLs of the two servers. */
  readonly host: { readonly url: string }
  readonly guest: { readonly url: string }
  readonly part: () => void
  readonly rejoin: () => void
}

/**
 * Runs an encrypted conversation of two users on two servers with matrix-js-sdk: they meet, talk, and talk on while the
 * servers are partitioned. One gets a second device, which the other sees signed and encrypts for. Throws, or does not
 * end, on a failure.
 */
export async function holdEncryptedConversation({ host, guest, part, rejoin }: Meeting): Promise<void> {
  const clients: sdk.MatrixClient[] = []
  const open = async (server: { readonly url: string }, user: string, recoveryKey?: Uint8Array<ArrayBuffer>) => {
    const client = await newDevice(server, user, recoveryKey)
    clients.push(client)
    return client
  }
  try {
    await register(host, 'hostess')
    await register(guest, 'guest')
    const [alice, bob] = [await open(host, 'hostess'), await open(guest, 'guest')]
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

    part()
    await say(alice, room, 'are you there?')
    await say(bob, room, 'I hear nothing')
    rejoin()
    await reads(bob, room, 'are you there?')
    await reads(alice, room, 'I hear nothing')

    const phone = await open(guest, 'guest', recoveryKey)
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
  }
}

async function register({ url }: { readonly url: string }, username: string): Promise<void> {
  const answer = await fetch(`${url}/_matrix/client/v3/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password: PASSWORD, auth: { type: 'm.login.dummy' }, inhibit_login: true }),
  })
  assert.equal(answer.status, 200, await answer.text())
}
