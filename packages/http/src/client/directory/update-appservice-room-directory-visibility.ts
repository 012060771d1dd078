// SPDX-License-Identifier: Apache-2.0
import { setNetworkVisibility } from '@myelin/services/directory/network-visibility'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { RoomIdSchema } from '../../schemas.ts'
import { VisibilitySchema } from './visibility-params.ts'

/**
 * Lists a room in the directory of a network that an application service bridges, or removes it from there.
 *
 * @see https://spec.matrix.org/v1.19/application-service-api/#put_matrixclientv3directorylistappservicenetworkidroomid
 */
export const updateAppserviceRoomDirectoryVisibility = endpoint({
  id: 'updateAppserviceRoomDirectoryVisibility',
  method: 'PUT',
  path: '/_matrix/client/v3/directory/list/appservice/:networkId/:roomId',
  access: 'user',
  params: Type.Object({
    networkId: Type.String({ minLength: 1, maxLength: 255, pattern: '^[^\\u0000]*$' }),
    roomId: RoomIdSchema,
  }),
  body: Type.Object({ visibility: VisibilitySchema }),
  reply: EmptySchema,

  async handle({ params: { networkId, roomId }, body: { visibility }, requester }, rt) {
    await setNetworkVisibility(rt, requester, { networkId, roomId, visibility })
    return {}
  },
})
