// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import type { PolicyServerSettings, RateLimit } from '@myelin/kit/settings'
import type { EventId, RoomId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import { EVENT_STATUS, eventById } from '@myelin/storage/rooms/events/events'
import type { OpenDatabase } from '../databases.ts'
import { create, join, path, user } from './federated-stage.ts'
import type { User } from './federated-stage.ts'
import { ForeignAuthor } from '../foreign-author.ts'
import { testNetwork } from '../network.ts'
import type { TestNetwork } from '../network.ts'
import { testConfig } from '../runtime.ts'
import type { Answer, TestServer } from '../server.ts'

/** A room of alice of one.test, which is its policy server; bob of two.test and carol of three.test are in it. */
export interface PolicyStage {
  readonly network: TestNetwork
  readonly alice: User
  readonly bob: User
  readonly carol: User
  readonly roomId: RoomId
  readonly one: TestServer
  readonly two: TestServer
  readonly three: TestServer
  /** Writes events of two.test for three.test without asking the policy server. */
  readonly bypass: ForeignAuthor
  /** Sends a message to the room, a moment later, under a new transaction ID. */
  readonly say: (who: User, body: string, more?: JsonObject) => Promise<Answer>
  /** Asks one.test to sign, in the name of a server: the answer, or the status and code of the refusal. */
  readonly ask: (from: TestServer, event: JsonObject) => Promise<JsonObject | readonly [number | undefined, unknown]>
  /** The number of one.test's requests for a signature so far. */
  readonly asked: () => number
  /** Waits until everything was sent and processed, by the stopped clock. */
  readonly settled: () => Promise<void>
}

/** The options of a test's policy server. */
export type PolicyOptions = Partial<PolicyServerSettings> & { readonly rate?: RateLimit; readonly isUsed?: boolean }

/** Sets the stage; the room names its policy server once all three are in it. */
export async function policyStage(open: OpenDatabase, options: PolicyOptions = {}): Promise<PolicyStage> {
  const { rate, isUsed = true, ...policy } = options
  const policyServer = { ...testConfig.policyServer, isEnabled: true, ...policy }
  const rateLimits = { ...testConfig.rateLimits, ...(rate ? { policySender: rate } : {}) }
  const config = (name: string) => (name === 'one.test' ? { policyServer, rateLimits } : {})
  const network = await testNetwork({ servers: 3, open, config })
  const [alice, bob] = [await user(network, 'alice', 'one.test'), await user(network, 'bob', 'two.test')]
  const carol = await user(network, 'carol', 'three.test')
  const roomId = await create(alice, { preset: 'public_chat' })
  for (const who of [bob, carol]) assert.equal((await join(who, roomId)).status, 200)
  const [one, two, three] = [alice.server, bob.server, carol.server]
  const settled = () => settle(network)
  await settled()
  if (isUsed) await usePolicyServer(alice, roomId)
  await settled()
  let serial = 0
  return {
    network,
    ...{ alice, bob, carol, roomId, one, two, three },
    bypass: new ForeignAuthor(three, two),
    say: (who, body, more = {}) => {
      // At the same time it would be the same event.
      network.clock.advance(1)
      const at = path(roomId, `send/m.room.message/t${serial++}`)
      const content = { msgtype: 'm.text', body, ...more }
      return who.server.call('PUT', `/_matrix/client/v3/${at}`, { token: who.token, body: content })
    },
    ask: async (from, event) => {
      const target = federationPath(['policy', 'v1', 'sign'])
      return from.rt.remote.call(one.name, { method: 'POST', target, body: event }).catch((cause: unknown) => {
        if (cause instanceof RemoteError) return [cause.status, cause.errcode] as const
        throw cause
      })
    },
    asked: () => network.crossings.filter(({ target }) => target === '/_matrix/policy/v1/sign').length,
    settled,
  }
}

/** Puts the keys that the server publishes into the room, as a client would. */
export async function usePolicyServer({ server, token }: User, roomId: RoomId): Promise<void> {
  const { body } = await server.call('GET', '/.well-known/matrix/policy_server')
  const content = { via: server.name, ...body }
  const at = path(roomId, 'state/m.room.policy/')
  assert.equal((await server.call('PUT', `/_matrix/client/v3/${at}`, { token, body: content })).status, 200)
}

/** Returns the status of an event on a server; undefined if it never arrived. */
export async function fateOn(server: TestServer, id: unknown): Promise<keyof typeof EVENT_STATUS | undefined> {
  const event = await eventById(server.rt.db.read, id as EventId)
  const names = Object.keys(EVENT_STATUS) as (keyof typeof EVENT_STATUS)[]
  return event && names.find((name) => EVENT_STATUS[name] === event.status)
}

async function settle(network: TestNetwork): Promise<void> {
  for (let round = 0; round < 2; round++) {
    await network.settle()
    for (const { workers } of network.servers) {
      await workers.outbound.settled()
      await workers.inbound.settled()
    }
  }
}
