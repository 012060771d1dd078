// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { register as registerAccount } from '@myelin/services/accounts/register'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { JsonObjectSchema } from '../../schemas.ts'
import { DeviceIdSchema, DeviceNameSchema } from '../session/device-schemas.ts'
import { registeredBody } from './registered-body.ts'

/**
 * Makes an account.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3register
 */
export const register = endpoint({
  id: 'register',
  method: 'POST',
  path: '/_matrix/client/v3/register',
  access: 'none',
  query: Type.Object({ kind: Type.Optional(Type.Enum(['user', 'guest'])) }),
  body: Type.Object({
    auth: Type.Optional(JsonObjectSchema),
    username: Type.Optional(Type.String()),
    password: Type.Optional(Type.String()),
    device_id: Type.Optional(DeviceIdSchema),
    initial_device_display_name: Type.Optional(DeviceNameSchema),
    inhibit_login: Type.Optional(Type.Boolean()),
    refresh_token: Type.Optional(Type.Boolean()),
  }),

  async handle({ query, body, address }, rt) {
    if (query.kind === 'guest') throw new MatrixError('M_GUEST_ACCESS_FORBIDDEN', 'guests are not let in here')
    return registeredBody(await registerAccount(rt, body, address))
  },
})
