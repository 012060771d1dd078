// SPDX-License-Identifier: Apache-2.0
import { federationPath } from '@myelin/remote/federation'
import type { ServiceConfig } from '@myelin/kit/settings'
import type { JsonObject } from '@myelin/matrix/json'
import type { OpenDatabase } from './databases.ts'
import { testNetwork } from './network.ts'
import type { TestNetwork } from './network.ts'
import { authorRoom } from './room-author.ts'
import type { RoomAuthor } from './room-author.ts'
import type { TestServer } from './server.ts'
import { shareRoom } from './shared-room.ts'

/** A logged-in user. */
export interface Person {
  readonly userId: string
  readonly deviceId: string
  readonly token: string
}

/** Two servers, a user of each, and a room in which both are. */
export interface TwoServers {
  readonly network: TestNetwork
  readonly room: RoomAuthor
  readonly alice: Person
  readonly bob: Person
  readonly one: () => TestServer
  readonly two: () => TestServer
  /** Waits until everything was sent and processed, by the stopped clock. */
  readonly settled: () => Promise<void>
  /** Sends EDUs to one.test in the name of two.test. */
  readonly sendEdus: (...edus: readonly JsonObject[]) => Promise<void>
}

/** Runs a test in a room of alice on one.test and bob on two.test. */
export async function onTwoServers(
  open: OpenDatabase,
  run: (stage: TwoServers) => Promise<void>,
  config: Partial<ServiceConfig> = {},
): Promise<void> {
  const network = await testNetwork({ servers: 2, open, config: () => config })
  const [one, two] = [() => network.server('one.test'), () => network.server('two.test')]
  const [alice, bob] = [await one().register('alice'), await two().register('bob')]
  const room = await authorRoom(one().rt, alice.userId, { preset: 'public_chat' })
  await room.member(bob.userId, bob.userId, 'join')
  await shareRoom(one().rt, two().rt, room.roomId)
  const settled = async () => {
    for (let round = 0; round < 2; round++) {
      for (const server of [one(), two()]) {
        await server.workers.outbound.settled()
        await server.workers.inbound.settled()
        await server.workers.deviceLists.settled()
      }
    }
  }
  let serial = 0
  const sendEdus: TwoServers['sendEdus'] = async (...edus) => {
    await two().rt.remote.call(one().name, {
      method: 'PUT',
      target: federationPath(['federation', 'v1', 'send', `shown${serial++}`]),
      body: { origin: two().name, origin_server_ts: network.clock.now(), pdus: [], edus },
    })
  }
  await settled()
  await network.settle()
  try {
    await run({ network, room, alice, bob, one, two, settled, sendEdus })
  } finally {
    await network.close()
  }
}
