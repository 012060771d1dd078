// SPDX-License-Identifier: Apache-2.0
import type { ServerName, UserId } from '@myelin/matrix/ids'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { RemoteError } from '@myelin/remote/remote-error'
import { fanOut } from '../peers/fan-out.ts'

const AT_ONCE = 20
const MAX_TIMEOUT_MS = 30_000
const DEFAULT_TIMEOUT_MS = 10_000

/**
 * Queries several servers in parallel, each within the client's timeout. Returns the servers that failed, with the
 * reason.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysquery
 */
export async function askServers<Wish>(
  away: ReadonlyMap<ServerName, ReadonlyMap<UserId, Wish>>,
  timeoutMs: number | undefined,
  ask: (server: ServerName, users: ReadonlyMap<UserId, Wish>, timeoutMs: number) => Promise<void>,
): Promise<JsonObject> {
  const failures = new Map<string, Json>()
  const patienceMs = Math.min(timeoutMs ?? DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS)
  await fanOut(away, AT_ONCE, async ([server, users]) => {
    try {
      await ask(server, users, patienceMs)
    } catch (cause) {
      if (!(cause instanceof RemoteError)) throw cause
      const message = cause.fault === 'refused' ? 'the server refused' : 'the server cannot be reached'
      failures.set(server, { status: 503, message })
    }
  })
  return Object.fromEntries(failures)
}
