// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'
import { HttpConnection } from '../clients/http-connection.ts'
import type { Target } from '../processes/target.ts'
import type { TlsServers } from './tls-servers.ts'

/** A transaction ready to be sent: encoded and signed before anything is measured. */
export interface PreparedTransaction {
  readonly path: string
  readonly text: string
  readonly authorization: string
  readonly pdus: number
}

let serial = 0

/** Encodes and signs a transaction in the name of a server. */
export function prepareTransaction(
  servers: TlsServers,
  target: Target,
  origin: string,
  pdus: readonly JsonObject[],
): PreparedTransaction {
  const uri = `/_matrix/federation/v1/send/${target.run}x${serial++}`
  const content: JsonObject = { origin, origin_server_ts: Date.now(), pdus: [...pdus], edus: [] }
  const destination = target.own?.serverName ?? 'localhost'
  const authorization = servers.authorization(origin, { destination, method: 'PUT', uri, content })
  return { path: uri, text: JSON.stringify(content), authorization, pdus: pdus.length }
}

/** Sends transactions one after the other over one connection, as one server does. */
export async function sendTransactions(
  target: Target,
  transactions: Iterable<PreparedTransaction>,
  answered: (transaction: PreparedTransaction, durationMs: number) => void,
): Promise<void> {
  const connection = new HttpConnection(target.url)
  for (const each of transactions) {
    const startedMs = performance.now()
    const { status, body } = await connection.request('PUT', each.path, each.authorization, each.text)
    if (status !== 200) throw new Error(`a transaction was answered ${status}: ${body.slice(0, 300)}`)
    answered(each, performance.now() - startedMs)
  }
  connection.close()
}
