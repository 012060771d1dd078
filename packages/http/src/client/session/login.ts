// SPDX-License-Identifier: Apache-2.0
import { clientWellKnown } from '@myelin/services/accounts/well-known'
import { logIn } from '@myelin/services/accounts/log-in'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { JsonObjectSchema } from '../../schemas.ts'
import { DeviceIdSchema, DeviceNameSchema } from './device-schemas.ts'
import { sessionBody } from './session-body.ts'

/**
 * Logs a user in on a device.
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
    identifier: Type.Optional(JsonObjectSchema),
    user: Type.Optional(Type.String()),
    address: Type.Optional(Type.String()),
    password: Type.Optional(Type.String()),
    device_id: Type.Optional(DeviceIdSchema),
    initial_device_display_name: Type.Optional(DeviceNameSchema),
    refresh_token: Type.Optional(Type.Boolean()),
  }),

  async handle({ body, address }, rt) {
    const session = await logIn(rt, {
      type: body.type,
      proof: body,
      address,
      deviceId: body.device_id,
      displayName: body.initial_device_display_name,
      canRefresh: body.refresh_token === true,
    })
    const wellKnown = clientWellKnown(rt)
    return { ...sessionBody(session), ...(wellKnown ? { well_known: wellKnown } : {}) }
  },
})
