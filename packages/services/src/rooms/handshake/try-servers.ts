// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { ERROR_STATUS } from '@myelin/matrix/errors'
import type { ErrorCode } from '@myelin/matrix/errors'
import { isServerName } from '@myelin/matrix/ids'
import type { ServerName } from '@myelin/matrix/ids'
import { member, stringMember } from '@myelin/matrix/json'
import type { Json } from '@myelin/matrix/json'
import { RemoteError } from '@myelin/remote/remote-error'
import type { Runtime } from '../../runtime/runtime.ts'

/** The most servers that are tried for one request. */
const MOST = 10
const MAX_MESSAGE = 500

/** Returns the servers to try: each once, in the order given, without this server, at most 10. */
export function candidates(
  { serverName }: Pick<Runtime, 'serverName'>,
  ...lists: readonly (readonly string[])[]
): ServerName[] {
  const names = new Set(lists.flat().filter(isServerName))
  names.delete(serverName)
  return [...names].slice(0, MOST)
}

/**
 * Tries a task with one server after the other and returns the first result. Where all fail, throws the most
 * informative error for the client: a refusal before "not found", and that before an unreachable server.
 */
export async function tryServers<T>(
  { remote }: Pick<Runtime, 'remote'>,
  servers: readonly ServerName[],
  attempt: (server: ServerName) => Promise<T>,
): Promise<T> {
  const failures: RemoteError[] = []
  for (const server of servers) {
    try {
      return await attempt(server)
    } catch (cause) {
      if (!(cause instanceof RemoteError)) throw cause
      remote.reportFailure(server, cause)
      failures.push(cause)
    }
  }
  throw refusalOf(failures)
}

/** Refusals that are passed on to the client, the most informative first. */
const TELLING: readonly (readonly [status: number, errcode: string | undefined, code: ErrorCode])[] = [
  [403, 'M_INVITE_BLOCKED', 'M_INVITE_BLOCKED'],
  [403, undefined, 'M_FORBIDDEN'],
  [400, 'M_INCOMPATIBLE_ROOM_VERSION', 'M_INCOMPATIBLE_ROOM_VERSION'],
  [400, 'M_UNABLE_TO_GRANT_JOIN', 'M_UNABLE_TO_GRANT_JOIN'],
  [400, 'M_UNABLE_TO_AUTHORISE_JOIN', 'M_UNABLE_TO_AUTHORISE_JOIN'],
]

/** Codes that travel with 400 are relayed; of another one only the sentence is, as it might make a client log out. */
function codeWith400(errcode: string | undefined): ErrorCode {
  if (errcode === undefined || !Object.hasOwn(ERROR_STATUS, errcode)) return 'M_UNKNOWN'
  const code = errcode as ErrorCode
  return ERROR_STATUS[code] === 400 ? code : 'M_UNKNOWN'
}

/** Returns an entry for each other 400 of other servers, with its relayed code. */
function otherRefusals(failures: readonly RemoteError[]): (readonly [400, string | undefined, ErrorCode])[] {
  return failures.flatMap(({ status, errcode }) =>
    status === 400 ? [[status, errcode, codeWith400(errcode)] as const] : [],
  )
}

/**
 * Returns one error for the client from several failures: a relayed 400 or 403, "no such room" if no server knows it, or a
 * 502. Never relays a 401.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1make_joinroomiduserid
 */
export function refusalOf(failures: readonly RemoteError[]): MatrixError {
  const tried = [...TELLING, ...otherRefusals(failures), [404, 'M_NOT_FOUND', 'M_NOT_FOUND'] as const]
  for (const [status, errcode, code] of tried) {
    const found = failures.find((each) => each.status === status && (!errcode || each.errcode === errcode))
    if (!found) continue
    const said = stringMember(found.body, 'error')?.slice(0, MAX_MESSAGE) ?? 'the other server refuses'
    const roomVersion = member(found.body, 'room_version')
    const extra: Record<string, Json> =
      typeof roomVersion === 'string' ? { room_version: roomVersion.slice(0, 255) } : {}
    return new MatrixError(code, said, {
      status,
      cause: found,
      extra: code === 'M_INCOMPATIBLE_ROOM_VERSION' ? extra : {},
    })
  }
  return new MatrixError('M_UNKNOWN', 'no server of the room could be reached', { status: 502, cause: failures.at(-1) })
}
