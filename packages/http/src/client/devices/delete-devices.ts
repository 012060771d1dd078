// SPDX-License-Identifier: Apache-2.0
import { deleteOwnDevices } from '@myelin/services/accounts/delete-devices'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { optionalOrNull } from '../../optional-or-null.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { DeviceIdSchema, JsonObjectSchema } from '../../schemas.ts'

/**
 * Deletes several of the requester's devices.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3delete_devices
 */
export const deleteDevices = endpoint({
  id: 'deleteDevices',
  method: 'POST',
  path: '/_matrix/client/v3/delete_devices',
  access: 'user',
  maxBodyBytes: MAX_BODY_BYTES.document,
  body: Type.Object({
    devices: Type.Array(DeviceIdSchema, { maxItems: 1000 }),
    auth: optionalOrNull(JsonObjectSchema),
  }),
  reply: EmptySchema,

  async handle({ body, requester }, rt) {
    await deleteOwnDevices(rt, requester, body.devices, body.auth)
    return {}
  },
})
