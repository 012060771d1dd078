// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isServerName } from '@myelin/matrix/ids'
import type { ServerName } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { FederationCall } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import type { Runtime } from '../runtime/runtime.ts'
import { maySpeakWith } from './trust/may-speak-with.ts'

/** The part of the runtime that asking others takes. */
export type Asker = Pick<Runtime, 'remote' | 'config' | 'serverName' | 'clock'>

const TIMEOUT_MS = 20_000
const MAX_BYTES = 1024 * 1024

/** What another server answers to a question of little weight; a `RemoteError` where it does not, or may not be asked. */
export async function askServer(rt: Asker, server: ServerName, call: FederationCall): Promise<JsonObject> {
  requireAskable(rt, server)
  return rt.remote.call(server, { timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES, ...call })
}

/** Throws a `RemoteError` for a server that is none, is this one, or that the admin does not want to be spoken with. */
export function requireAskable(rt: Pick<Asker, 'config' | 'serverName'>, server: ServerName): void {
  if (isServerName(server) && server !== rt.serverName && maySpeakWith(rt, server)) return
  throw new RemoteError('unreachable', `${server} is not a server to ask`)
}

/**
 * What a client may read of another server's failure: that something is not there or not allowed, and else that the
 * server could not be reached. Anything that is no failure of another server is thrown on.
 */
export function relayed(cause: unknown): MatrixError {
  if (!(cause instanceof RemoteError)) throw cause
  const { status, errcode } = cause
  if (status === 404 && errcode !== 'M_UNRECOGNIZED') {
    return new MatrixError('M_NOT_FOUND', 'the other server does not know it', { cause })
  }
  if (status === 403) return new MatrixError('M_FORBIDDEN', 'the other server does not tell it', { cause })
  return new MatrixError('M_UNKNOWN', 'the other server cannot be reached', { status: 502, cause })
}
