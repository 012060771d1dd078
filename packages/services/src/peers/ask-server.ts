// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isServerName } from '@myelin/matrix/ids'
import type { ServerName } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { FederationCall } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import type { Runtime } from '../runtime/runtime.ts'
import { mayFederateWith } from './trust/may-federate-with.ts'

/** The part of the runtime that requests to other servers take. */
export type Asker = Pick<Runtime, 'remote' | 'config' | 'serverName' | 'clock'>

const TIMEOUT_MS = 20_000
const MAX_BYTES = 1024 * 1024

/**
 * Returns the answer of another server to a request on behalf of a client; throws a `RemoteError` where the request
 * fails, or the server must not be contacted.
 */
export async function askServer(rt: Asker, server: ServerName, call: FederationCall): Promise<JsonObject> {
  requireFederation(rt, server)
  return rt.remote.call(server, { timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES, ...call })
}

/** Throws a `RemoteError` for an invalid server name, this server itself, or a server that the admin has excluded. */
export function requireFederation(rt: Pick<Asker, 'config' | 'serverName'>, server: ServerName): void {
  if (isServerName(server) && server !== rt.serverName && mayFederateWith(rt, server)) return
  throw new RemoteError('unreachable', `${server} must not be contacted`)
}

/**
 * Returns the error for the client when a request to another server failed: "not found", "forbidden", or a 502.
 * Rethrows anything that is not a `RemoteError`.
 */
export function relayedError(cause: unknown): MatrixError {
  if (!(cause instanceof RemoteError)) throw cause
  const { status, errcode } = cause
  if (status === 404 && errcode !== 'M_UNRECOGNIZED') {
    return new MatrixError('M_NOT_FOUND', 'the other server has no such resource', { cause })
  }
  if (status === 403) return new MatrixError('M_FORBIDDEN', 'the other server refuses access', { cause })
  return new MatrixError('M_UNKNOWN', 'the other server cannot be reached', { status: 502, cause })
}
