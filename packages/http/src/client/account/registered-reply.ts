// SPDX-License-Identifier: Apache-2.0
import { serverOf } from '@myelin/matrix/ids'
import type { Registered } from '@myelin/services/accounts/register'
import { Type } from 'typebox'
import { sessionMembers, sessionReply } from '../session/session-reply.ts'

/** A new account, with its first session unless the client asked for none. */
export const RegisteredReply = Type.Object({
  ...sessionMembers,
  device_id: Type.Optional(Type.String()),
  access_token: Type.Optional(Type.String()),
})

/** Returns the {@link RegisteredReply} of an account. */
export function registeredReply({ userId, session }: Registered) {
  return session ? sessionReply(session) : { user_id: userId, home_server: serverOf(userId) }
}
