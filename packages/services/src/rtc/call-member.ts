// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isServerName, isUserId, serverOf } from '@myelin/matrix/ids'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import { membershipIn } from '@myelin/storage/rooms/members/members'
import { openIdOwner } from '../accounts/openid.ts'
import type { Runtime } from '../runtime/runtime.ts'

/** An OpenID token as a client got it from its homeserver. */
export interface OpenIdToken {
  readonly access_token: string
  readonly matrix_server_name: string
}

const TIMEOUT_MS = 10_000

/**
 * Returns the user of an OpenID token, of this server or another.
 *
 * @throws `M_UNAUTHORIZED` where the user's server does not confirm the token
 */
export async function ownerOfOpenIdToken(
  rt: Pick<Runtime, 'db' | 'clock' | 'remote' | 'serverName'>,
  { access_token: token, matrix_server_name: server }: OpenIdToken,
): Promise<UserId> {
  try {
    if (server === rt.serverName) return await openIdOwner(rt, token)
    if (!isServerName(server)) throw new MatrixError('M_UNAUTHORIZED', 'the OpenID token is not valid')
    const answer = await rt.remote.call(server, {
      method: 'GET',
      target: federationPath(['federation', 'v1', 'openid', 'userinfo'], { access_token: token }),
      isUnsigned: true,
      timeoutMs: TIMEOUT_MS,
    })
    const user = stringMember(answer, 'sub')
    // A server speaks for its own users only.
    if (isUserId(user) && serverOf(user) === server) return user
  } catch (cause) {
    if (!(cause instanceof MatrixError || cause instanceof RemoteError)) throw cause
  }
  throw new MatrixError('M_UNAUTHORIZED', 'the OpenID token is not valid')
}

/** Throws `M_FORBIDDEN` unless a user is joined to a room, as far as this server knows. */
export async function requireJoinedToCall({ db }: Pick<Runtime, 'db'>, roomId: RoomId, user: UserId): Promise<void> {
  const standing = await membershipIn(db.read, roomId, user)
  if (standing?.membership !== 'join') throw new MatrixError('M_FORBIDDEN', `User ${user} not in room ${roomId}`)
}
