// SPDX-License-Identifier: Apache-2.0
import { registerBySecret } from '@myelin/services/accounts/register-by-secret'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { OptionalText, oneOf } from '../../schemas.ts'
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
    admin: Type.Optional(Type.Boolean()),
    user_type: Type.Optional(Type.Union([Type.Null(), oneOf(['bot', 'support'])])),
    displayname: OptionalText,
    inhibit_login: Type.Optional(Type.Boolean()),
  }),
  reply: RegisteredReply,

  async handle({ body }, rt) {
    const registered = await registerBySecret(rt, {
      nonce: body.nonce,
      username: body.username,
      password: body.password,
      isAdmin: body.admin === true,
      userType: body.user_type ?? undefined,
      displayName: body.displayname,
      mac: body.mac,
      inhibitLogin: body.inhibit_login === true,
    })
    return registeredReply(registered)
  },
})
