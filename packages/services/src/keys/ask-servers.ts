// SPDX-License-Identifier: Apache-2.0
import type { ServerName, UserId } from '@myelin/matrix/ids'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { MatrixError } from '@myelin/matrix/errors'
import { RemoteError } from '@myelin/remote/remote-error'
import type { Runtime } from '../runtime/runtime.ts'
import { fanOut } from '../peers/fan-out.ts'

const AT_ONCE = 20
const MAX_TIMEOUT_MS = 30_000
const DEFAULT_TIMEOUT_MS = 10_000

/**
 * Queries several servers in parallel for a user, each within the client's timeout. Returns the servers that failed, with
 * the reason: servers beyond the user's limit are among them.
 *
 * @throws MatrixError `M_LIMIT_EXCEEDED` where the limit is reached before the first server
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysquery
 */
export async function askServers<Query>(
  { limits }: Pick<Runtime, 'limits'>,
  userId: UserId,
  away: ReadonlyMap<ServerName, ReadonlyMap<UserId, Query>>,
  timeoutMs: number | undefined,
  ask: (server: ServerName, users: ReadonlyMap<UserId, Query>, timeoutMs: number) => Promise<void>,
): Promise<JsonObject> {
  if (away.size > 0) limits.check('remoteLookups', userId)
  const failures = new Map<string, Json>()
  const patienceMs = Math.min(timeoutMs ?? DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS)
  await fanOut(away, AT_ONCE, async ([server, users]) => {
    try {
      await limits.lookUp(userId, () => ask(server, users, patienceMs))
    } catch (cause) {
      failures.set(server, failureOf(cause))
    }
  })
  return Object.fromEntries(failures)
}

function failureOf(cause: unknown): JsonObject {
  if (cause instanceof MatrixError && cause.code === 'M_LIMIT_EXCEEDED') return { status: 429, message: cause.message }
  if (!(cause instanceof RemoteError)) throw cause
  return { status: 503, message: cause.fault === 'refused' ? 'the server refused' : 'the server cannot be reached' }
}
