// SPDX-License-Identifier: Apache-2.0
import { APP_SERVICE_TYPE, registerForAppService } from '@myelin/services/accounts/app-service-users'
import { register as registerAccount } from '@myelin/services/accounts/register'
import { registerGuest } from '@myelin/services/accounts/register-guest'
import { joinFirstRooms } from '@myelin/services/directory/auto-join'
import { Type } from 'typebox'
import { tokenOf } from '../../authenticate.ts'
import { endpoint } from '../../endpoint.ts'
import { optionalOrNull } from '../../optional-or-null.ts'
import { DeviceIdSchema, DeviceNameSchema, JsonObjectSchema, OptionalText, oneOf } from '../../schemas.ts'
import { RegisteredReply, registeredReply } from './registered-reply.ts'

/**
 * Creates an account, or a guest's.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3register
 */
export const register = endpoint({
  id: 'register',
  method: 'POST',
  path: '/_matrix/client/v3/register',
  access: 'none',
  query: Type.Object({ kind: Type.Optional(oneOf(['user', 'guest'])) }),
  body: Type.Object({
    auth: optionalOrNull(JsonObjectSchema),
    type: optionalOrNull(Type.String()),
    username: OptionalText,
    // The older name of `username` in requests of application services.
    user: optionalOrNull(Type.String()),
    password: optionalOrNull(Type.String()),
    device_id: optionalOrNull(DeviceIdSchema),
    initial_device_display_name: optionalOrNull(DeviceNameSchema),
    inhibit_login: optionalOrNull(Type.Boolean()),
    refresh_token: Type.Optional(Type.Boolean()),
    guest_access_token: OptionalText,
  }),
  reply: RegisteredReply,

  async handle({ query, body, address, headers }, rt) {
    if (body.type === APP_SERVICE_TYPE) {
      const made = await registerForAppService(rt, {
        token: tokenOf({ headers, query }),
        username: body.user ?? body.username,
        deviceId: body.device_id,
        displayName: body.initial_device_display_name,
        canRefresh: body.refresh_token === true,
        isWithoutLogin: body.inhibit_login === true,
      })
      return registeredReply(made)
    }
    if (query.kind === 'guest') {
      const guest = await registerGuest(rt, { displayName: body.initial_device_display_name, address })
      await joinFirstRooms(rt, guest.userId)
      return registeredReply(guest)
    }
    const registered = await registerAccount(rt, body, address)
    await joinFirstRooms(rt, registered.userId)
    return registeredReply(registered)
  },
})
