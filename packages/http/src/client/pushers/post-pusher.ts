// SPDX-License-Identifier: Apache-2.0
import { setPusher } from '@myelin/services/notifications/pushers'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { optionalOrNull } from '../../optional-or-null.ts'
import { JsonObjectSchema, OptionalText } from '../../schemas.ts'

/**
 * Sets, changes or deletes a pusher of the requester; a `kind` of null deletes it.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3pushersset
 */
export const postPusher = endpoint({
  id: 'postPusher',
  method: 'POST',
  path: '/_matrix/client/v3/pushers/set',
  access: 'user',
  body: Type.Object({
    app_id: Type.String(),
    pushkey: Type.String(),
    kind: Type.Union([Type.String(), Type.Null()]),
    app_display_name: OptionalText,
    device_display_name: OptionalText,
    lang: OptionalText,
    profile_tag: optionalOrNull(Type.String()),
    data: Type.Optional(JsonObjectSchema),
    append: optionalOrNull(Type.Boolean()),
    enabled: Type.Optional(Type.Boolean()),
    'org.matrix.msc3881.enabled': Type.Optional(Type.Boolean()),
  }),
  reply: EmptySchema,

  async handle({ body, requester }, rt) {
    await setPusher(rt, requester, {
      appId: body.app_id,
      pushkey: body.pushkey,
      kind: body.kind,
      appDisplayName: body.app_display_name,
      deviceDisplayName: body.device_display_name,
      lang: body.lang,
      profileTag: body.profile_tag,
      data: body.data,
      isAppended: body.append ?? false,
      isEnabled: body['org.matrix.msc3881.enabled'] ?? body.enabled ?? true,
    })
    return {}
  },
})
