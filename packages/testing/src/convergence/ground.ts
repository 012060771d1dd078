// SPDX-License-Identifier: Apache-2.0
import { testNetwork } from '../network.ts'
import type { TestNetwork } from '../network.ts'
import { testConfig } from '../runtime.ts'
import type { TestServer } from '../server.ts'
import { AwaitedDatabases } from './awaited-database.ts'
import { Chance } from './chance.ts'

/** Somebody and their home. */
export interface Person {
  readonly userId: string
  readonly token: string
  readonly server: TestServer
}

/** Servers on which towns may be founded, one after the other: starting them costs more than a town's whole life. */
export interface Ground {
  readonly network: TestNetwork
  readonly databases: AwaitedDatabases
  readonly people: readonly Person[]
}

const SERVERS = 3
/** How many people live on each server. */
export const PER_SERVER = 2

/** Starts the servers and registers their people; with a `jitter`, their databases are late as that seed has it. */
export async function prepareGround(jitter?: string): Promise<Ground> {
  const databases = new AwaitedDatabases(jitter === undefined ? undefined : new Chance(jitter))
  const retries = { firstMs: 1_000, factor: 2, longestMs: 8_000 }
  const config = () => ({ federation: { ...testConfig.federation, retries } })
  const network = await testNetwork({ servers: SERVERS, open: databases.open, config })
  const people: Person[] = []
  for (const server of network.servers) {
    for (let number = 0; number < PER_SERVER; number++) {
      const { userId, token } = await server.register(`user${number}`)
      people.push({ userId, token, server })
    }
  }
  return { network, databases, people }
}
