// SPDX-License-Identifier: Apache-2.0
import { serverOf } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Registered } from '@myelin/services/accounts/register'
import { sessionBody } from '../session/session-body.ts'

/** An account that was made, and its first session if it has one, as they go over the wire. */
export function registeredBody({ userId, session }: Registered): JsonObject {
  return session ? sessionBody(session) : { user_id: userId, home_server: serverOf(userId) }
}
