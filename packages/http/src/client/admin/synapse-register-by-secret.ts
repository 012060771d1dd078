// SPDX-License-Identifier: Apache-2.0
import { registerBySecret } from '@myelin/services/accounts/register-by-secret'
import { joinFirstRooms } from '@myelin/services/directory/auto-join'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { optionalOrNull } from '../../optional-or-null.ts'
import { oneOf } from '../../schemas.ts'
import { RegisteredReply, registeredReply } from '../account/registered-reply.ts'

/**
 * Creates an account for a request signed with the shared secret.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/register_api.html
 */
export const synapseRegisterBySecret = endpoint({
  id: 'synapseRegisterBySecret',
  method: 'POST',
  path: '/_synapse/admin/v1/register',
  access: 'none',
  body: Type.Object({
    nonce: Type.String(),
    username: Type.String(),
    password: Type.String(),
    mac: Type.String(),
    admin: optionalOrNull(Type.Boolean()),
    user_type: optionalOrNull(oneOf(['bot', 'support'])),
    displayname: optionalOrNull(Type.String()),
    inhibit_login: optionalOrNull(Type.Boolean()),
  }),
  reply: RegisteredReply,

  async handle({ body }, rt) {
    const registered = await registerBySecret(rt, {
      nonce: body.nonce,
      username: body.username,
      password: body.password,
      isAdmin: body.admin === true,
      userType: body.user_type,
      displayName: body.displayname,
      mac: body.mac,
      inhibitLogin: body.inhibit_login === true,
    })
    await joinFirstRooms(rt, registered.userId)
    return registeredReply(registered)
  },
})
