// SPDX-License-Identifier: Apache-2.0
import { testNetwork } from '../network.ts'
import type { TestNetwork } from '../network.ts'
import { testConfig } from '../runtime.ts'
import type { TestServer } from '../server.ts'
import { AwaitedDatabases } from './awaited-database.ts'
import { Chance } from './chance.ts'

/** A user and their server. */
export interface User {
  readonly userId: string
  readonly token: string
  readonly server: TestServer
}

/** Servers that simulations use one after the other: starting servers costs more than a simulation. */
export interface ServerPool {
  readonly network: TestNetwork
  readonly databases: AwaitedDatabases
  readonly people: readonly User[]
}

const SERVERS = 3
/** The number of users on each server. */
export const PER_SERVER = 2

/** Starts the servers and registers their users; a `jitter` is the seed by which their databases answer late. */
export async function openServerPool(jitter?: string): Promise<ServerPool> {
  const databases = new AwaitedDatabases(jitter === undefined ? undefined : new Chance(jitter))
  const retries = { firstMs: 1_000, factor: 2, longestMs: 8_000 }
  const config = () => ({ federation: { ...testConfig.federation, retries } })
  const network = await testNetwork({ servers: SERVERS, open: databases.open, config })
  const people: User[] = []
  for (const server of network.servers) {
    for (let number = 0; number < PER_SERVER; number++) {
      const { userId, token } = await server.register(`user${number}`)
      people.push({ userId, token, server })
    }
  }
  return { network, databases, people }
}
