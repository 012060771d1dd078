// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto'
import { MatrixError } from '@myelin/matrix/errors'
import type { JsonObject } from '@myelin/matrix/json'
import type { Requester, Runtime } from '../runtime/runtime.ts'

/**
 * Returns TURN servers with credentials for the requester's calls; an empty object where none are configured.
 *
 * With a shared secret, the user name has the expiry time and the user ID, and the password is a MAC over it: the TURN
 * REST API (draft-uberti-behave-turn-rest-00), as coturn supports it.
 *
 * Throws `M_GUEST_ACCESS_FORBIDDEN` for guests where the admin excludes them.
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
