// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto'
import { MatrixError } from '@myelin/matrix/errors'
import type { JsonObject } from '@myelin/matrix/json'
import type { Requester, Runtime } from '../runtime/runtime.ts'

/**
 * Where the requester's calls may go through, with credentials; nothing where the admin named no TURN servers.
 *
 * With a shared secret the name says until when it is good and for whom, and the password proves that we said so: what
 * the TURN REST API draft (draft-uberti-behave-turn-rest-00) says and coturn understands.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3voipturnserver
 */
export function turnServerFor(rt: Pick<Runtime, 'config' | 'clock'>, { userId, isGuest }: Requester): JsonObject {
  const { uris, sharedSecret, username, password, lifetimeMs, allowsGuests } = rt.config.turn
  if (isGuest && !allowsGuests) throw new MatrixError('M_GUEST_ACCESS_FORBIDDEN', 'guests may not use the TURN servers')
  const ttl = Math.floor(lifetimeMs / 1000)
  if (uris.length === 0) return {}
  if (sharedSecret !== undefined) {
    const name = `${Math.floor((rt.clock.now() + lifetimeMs) / 1000)}:${userId}`
    return { username: name, password: createHmac('sha1', sharedSecret).update(name).digest('base64'), ttl, uris }
  }
  if (username === undefined || password === undefined) return {}
  return { username, password, ttl, uris }
}
