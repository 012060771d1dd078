// SPDX-License-Identifier: Apache-2.0
import { serveDevices } from '@myelin/services/keys/user-keys'
import { Type } from 'typebox'
import { OptionalCrossSigningKey } from '../../client/keys/key-schemas.ts'
import { endpoint } from '../../endpoint.ts'
import { encodedObject, ObjectSchema } from '../../reply-schemas.ts'
import { OptionalText, UserIdSchema } from '../../schemas.ts'

const Device = Type.Object({ device_id: Type.String(), keys: ObjectSchema, device_display_name: OptionalText })

/**
 * Returns the devices of a user of this server, with the user's cross-signing keys.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1userdevicesuserid
 */
export const getUserDevices = endpoint({
  id: 'getUserDevices',
  method: 'GET',
  path: '/_matrix/federation/v1/user/devices/:userId',
  access: 'server',
  params: Type.Object({ userId: UserIdSchema }),
  reply: encodedObject(
    Type.Object({
      user_id: Type.String(),
      stream_id: Type.Integer(),
      devices: Type.Array(Device),
      master_key: OptionalCrossSigningKey,
      self_signing_key: OptionalCrossSigningKey,
    }),
  ),

  handle: ({ params }, rt) => serveDevices(rt, params.userId),
})
