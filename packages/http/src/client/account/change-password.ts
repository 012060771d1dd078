// SPDX-License-Identifier: Apache-2.0
import { changePassword as changeOwnPassword } from '@myelin/services/accounts/change-password'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { optionalOrNull } from '../../optional-or-null.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { JsonObjectSchema } from '../../schemas.ts'

/**
 * Changes the requester's password.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3accountpassword
 */
export const changePassword = endpoint({
  id: 'changePassword',
  method: 'POST',
  path: '/_matrix/client/v3/account/password',
  access: 'user',
  body: Type.Object({
    auth: optionalOrNull(JsonObjectSchema),
    new_password: optionalOrNull(Type.String()),
    logout_devices: Type.Optional(Type.Boolean()),
  }),
  reply: EmptySchema,

  async handle({ body, requester }, rt) {
    const { auth, new_password: newPassword, logout_devices: logsOutDevices } = body
    await changeOwnPassword(rt, requester, { auth, newPassword, logsOutDevices })
    return {}
  },
})
