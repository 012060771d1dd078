// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream'
import { encodeBase64 } from '@myelin/matrix/base64'
import type { JsonObject } from '@myelin/matrix/json'
import { signJson, type SigningKey } from '@myelin/matrix/signatures'
import { RemoteError } from '@myelin/remote/remote-error'
import type { OutgoingRequest, Transport } from '@myelin/remote/transport'
import { testSigningKey } from './runtime.ts'

/** What a server that is none of ours answers: a body, or the text of one. */
export type Answering = (request: OutgoingRequest) => JsonObject | string | Promise<JsonObject | string>

/** Servers that a test makes up, honest or not; those it does not name cannot be reached. */
export class StandInServers implements Transport {
  readonly asked: OutgoingRequest[] = []
  readonly #servers = new Map<string, Answering>()

  /** From now on that server answers so; undefined takes it away. */
  set(server: string, answering: Answering | undefined): void {
    if (answering) this.#servers.set(server, answering)
    else this.#servers.delete(server)
  }

  async send(request: OutgoingRequest) {
    this.asked.push(request)
    const answering = this.#servers.get(request.destination)
    if (!answering) throw new RemoteError('unreachable', `${request.destination} is gone`)
    const answer = await answering(request)
    const text = typeof answer === 'string' ? answer : JSON.stringify(answer)
    return { status: 200, headers: {}, body: Readable.from([Buffer.from(text)]) }
  }

  async close(): Promise<void> {}
}

/** The document in which a made-up server publishes its keys. */
export function publishedBy(
  server: string,
  change: {
    readonly key?: SigningKey
    readonly old?: readonly (readonly [key: SigningKey, expiredTs: number])[]
    readonly validUntilTs: number
    readonly more?: JsonObject
  },
): JsonObject {
  const key = change.key ?? testSigningKey(server)
  const old = (change.old ?? []).map(([each, expired_ts]) => [
    each.id,
    { key: encodeBase64(each.publicKey), expired_ts },
  ])
  const document = {
    server_name: server,
    verify_keys: { [key.id]: { key: encodeBase64(key.publicKey) } },
    old_verify_keys: Object.fromEntries(old) as JsonObject,
    valid_until_ts: change.validUntilTs,
    ...change.more,
  }
  return signJson(document, server, key)
}
