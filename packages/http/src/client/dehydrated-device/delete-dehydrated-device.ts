// SPDX-License-Identifier: Apache-2.0
import { deleteDehydratedDevice as removeDevice } from '@myelin/services/keys/dehydrated-device'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { DEHYDRATED_DEVICE } from './dehydrated-device-paths.ts'

/**
 * Deletes the requester's dehydrated device with its keys and messages.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/3814
 */
export const deleteDehydratedDevice = endpoint({
  id: 'deleteDehydratedDevice',
  method: 'DELETE',
  path: DEHYDRATED_DEVICE,
  access: 'user',
  reply: Type.Object({ device_id: Type.String() }),

  handle: async ({ requester }, rt) => ({ device_id: await removeDevice(rt, requester) }),
})
