// SPDX-License-Identifier: Apache-2.0
import { capabilitiesOf } from '@myelin/services/accounts/capabilities'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { openObject, recordOf } from '../../reply-schemas.ts'

const Enabled = Type.Optional(Type.Object({ enabled: Type.Boolean() }))

/**
 * Returns what the requester may do on this server.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3capabilities
 */
export const getCapabilities = endpoint({
  id: 'getCapabilities',
  method: 'GET',
  path: '/_matrix/client/v3/capabilities',
  access: 'guest',
  reply: Type.Object({
    capabilities: openObject({
      'm.change_password': Enabled,
      'm.room_versions': Type.Object({ default: Type.String(), available: recordOf(Type.String()) }),
      'm.set_displayname': Enabled,
      'm.set_avatar_url': Enabled,
      'm.profile_fields': Type.Object({
        enabled: Type.Boolean(),
        disallowed: Type.Optional(Type.Array(Type.String())),
      }),
      'm.3pid_changes': Enabled,
      'm.get_login_token': Enabled,
      'm.preview_url': Enabled,
      'io.element.msc4452.preview_url': Enabled,
      'm.forget_forced_upon_leave': Enabled,
      'org.matrix.msc4140.delayed_events': Type.Object({
        max_delay_ms: Type.Integer(),
        max_scheduled: Type.Integer(),
      }),
      'm.account_moderation': Type.Optional(Type.Object({ lock: Type.Boolean(), suspend: Type.Boolean() })),
    }),
  }),

  handle: async ({ requester }, rt) => ({ capabilities: capabilitiesOf(rt, requester) }),
})
