// SPDX-License-Identifier: Apache-2.0
import { stringMember } from '@myelin/matrix/json'
import { APP_SERVICE_TYPE, logInForAppService } from '@myelin/services/accounts/app-service-users'
import { logIn } from '@myelin/services/accounts/log-in'
import { clientWellKnown } from '@myelin/services/accounts/well-known'
import { Type } from 'typebox'
import { tokenOf } from '../../authenticate.ts'
import { endpoint } from '../../endpoint.ts'
import { optionalOrNull } from '../../optional-or-null.ts'
import { ObjectSchema } from '../../reply-schemas.ts'
import { DeviceIdSchema, DeviceNameSchema, JsonObjectSchema } from '../../schemas.ts'
import { sessionMembers, sessionReply } from './session-reply.ts'

/**
 * Creates a session on a device.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3login
 */
export const login = endpoint({
  id: 'login',
  method: 'POST',
  path: '/_matrix/client/v3/login',
  access: 'none',
  body: Type.Object({
    type: Type.String(),
    identifier: optionalOrNull(JsonObjectSchema),
    user: optionalOrNull(Type.String()),
    address: optionalOrNull(Type.String()),
    password: optionalOrNull(Type.String()),
    device_id: optionalOrNull(DeviceIdSchema),
    initial_device_display_name: optionalOrNull(DeviceNameSchema),
    refresh_token: Type.Optional(Type.Boolean()),
  }),
  reply: Type.Object({ ...sessionMembers, well_known: Type.Optional(ObjectSchema) }),

  async handle({ body, address, headers, query }, rt) {
    if (body.type === APP_SERVICE_TYPE) {
      const user = body.identifier && stringMember(body.identifier, 'user')
      const session = await logInForAppService(rt, {
        token: tokenOf({ headers, query }),
        username: user ?? body.user,
        deviceId: body.device_id,
        displayName: body.initial_device_display_name,
        canRefresh: body.refresh_token === true,
      })
      return { ...sessionReply(session), well_known: clientWellKnown(rt) }
    }
    const session = await logIn(rt, {
      type: body.type,
      proof: body,
      address,
      deviceId: body.device_id,
      displayName: body.initial_device_display_name,
      canRefresh: body.refresh_token === true,
    })
    return { ...sessionReply(session), well_known: clientWellKnown(rt) }
  },
})
