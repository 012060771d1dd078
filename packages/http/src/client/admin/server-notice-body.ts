// SPDX-License-Identifier: Apache-2.0
import type { ServerNotice } from '@myelin/services/directory/server-notice'
import { Type } from 'typebox'
import type { Static } from 'typebox'
import { JsonObjectSchema, OptionalText, UserIdSchema } from '../../schemas.ts'

/** The body of a request that sends a server notice. */
export const ServerNoticeBody = Type.Object({
  user_id: UserIdSchema,
  content: JsonObjectSchema,
  type: OptionalText,
  state_key: OptionalText,
})

/** Returns the notice of a body, a message by default. */
export function noticeOf({ user_id, content, type, state_key }: Static<typeof ServerNoticeBody>): ServerNotice {
  return { userId: user_id, type: type ?? 'm.room.message', stateKey: state_key, content }
}
