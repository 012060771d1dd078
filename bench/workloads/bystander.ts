// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises'
import type { MatrixClient } from '@myelin/testing/clients/matrix-client'
import { latencyOf } from '@myelin/testing/latency'
import type { Latency } from '@myelin/testing/latency'
import { eventBody, roomWith, sendPath } from './fixture.ts'

const EVERY_MS = 25

/** A user who sends forty messages a second in another room, and the latency of these sends. */
export class Bystander {
  readonly #client: MatrixClient
  readonly #room: string
  #serial = 0

  constructor(client: MatrixClient, room: string) {
    this.#client = client
    this.#room = room
  }

  /** The latency of sends during a workload, from the intended start of each. */
  async during(work: () => Promise<unknown>): Promise<Latency> {
    const durationsMs: number[] = []
    const free: MatrixClient[] = []
    const sending: Promise<void>[] = []
    let isOver = false
    const send = async (client: MatrixClient, dueMs: number) => {
      const path = sendPath(this.#room, `b${this.#serial++}`)
      // A connection that was idle for long may just have been closed.
      await client.send('PUT', path, eventBody()).catch(() => client.send('PUT', path, eventBody()))
      durationsMs.push(performance.now() - dueMs)
      free.push(client)
    }
    const ticking = (async () => {
      for (let dueMs = performance.now(); !isOver; dueMs += EVERY_MS) {
        await delay(Math.max(0, dueMs - performance.now()))
        // A send does not wait for the one before: connections are opened as needed.
        sending.push(send(free.pop() ?? this.#client.again(), dueMs))
      }
    })()
    try {
      await work()
    } finally {
      isOver = true
      await ticking
      await Promise.all(sending)
      for (const client of free) client.close()
    }
    return latencyOf(durationsMs)
  }
}

/** Makes their room. */
export async function bystander(client: MatrixClient): Promise<Bystander> {
  return new Bystander(client, await roomWith([client]))
}
