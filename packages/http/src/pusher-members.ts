// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import { ObjectSchema } from './reply-schemas.ts'

/** The members of a pusher in replies, as in the spec. */
export const pusherMembers = {
  app_display_name: Type.String(),
  app_id: Type.String(),
  data: ObjectSchema,
  device_display_name: Type.String(),
  kind: Type.String(),
  lang: Type.String(),
  profile_tag: Type.String(),
  pushkey: Type.String(),
}
