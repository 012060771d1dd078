// SPDX-License-Identifier: Apache-2.0
import { registerBySecret, sharedSecretNonce } from '@myelin/services/accounts/register-by-secret'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { registeredBody } from '../account/registered-body.ts'

const path = '/_synapse/admin/v1/register'

/**
 * A word to sign when registering by shared secret.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/register_api.html
 */
export const getRegistrationNonce = endpoint({
  id: 'synapseGetRegistrationNonce',
  method: 'GET',
  path,
  access: 'none',
  handle: async (_, rt) => ({ nonce: sharedSecretNonce(rt) }),
})

/**
 * Makes an account for whoever knows the shared secret.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/register_api.html
 */
export const registerWithSecret = endpoint({
  id: 'synapseRegisterBySecret',
  method: 'POST',
  path,
  access: 'none',
  body: Type.Object({
    nonce: Type.String(),
    username: Type.String(),
    password: Type.String(),
    mac: Type.String(),
    admin: Type.Optional(Type.Boolean()),
    user_type: Type.Optional(Type.Union([Type.Null(), Type.Enum(['bot', 'support'])])),
    displayname: Type.Optional(Type.String()),
    inhibit_login: Type.Optional(Type.Boolean()),
  }),

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
    return registeredBody(registered)
  },
})
