// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream'
import { RemoteError } from '@myelin/remote/remote-error'
import type { OutgoingRequest, Transport } from '@myelin/remote/transport'
import { FakeServers } from './fake-servers.ts'

/** Fake servers in the process of the test: a transport without sockets. Servers without answers are unreachable. */
export class InProcessServers extends FakeServers implements Transport {
  /** The requests so far. */
  readonly asked: OutgoingRequest[] = []

  async send(request: OutgoingRequest) {
    this.asked.push(request)
    const text = await this.answerSet(request)
    if (text === undefined) throw new RemoteError('unreachable', `${request.destination} is gone`)
    return { status: 200, headers: {}, body: Readable.from([Buffer.from(text)]) }
  }

  async close(): Promise<void> {}
}
