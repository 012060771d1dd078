// SPDX-License-Identifier: Apache-2.0
import { sendToDevice as queueMessages } from '@myelin/services/keys/send-to-device'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { JsonObjectSchema, mapOf } from '../../schemas.ts'
import { DeviceKeySchema, UserKeySchema } from '../keys/key-schemas.ts'

/**
 * Sends messages to devices, outside of any room.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3sendtodeviceeventtypetxnid
 */
export const sendToDevice = endpoint({
  id: 'sendToDevice',
  method: 'PUT',
  path: '/_matrix/client/v3/sendToDevice/:eventType/:txnId',
  access: 'guest',
  maxBodyBytes: MAX_BODY_BYTES.batch,
  params: Type.Object({ eventType: Type.String({ maxLength: 255 }), txnId: Type.String({ maxLength: 255 }) }),
  body: Type.Object({ messages: mapOf(UserKeySchema, mapOf(DeviceKeySchema, JsonObjectSchema)) }),
  reply: EmptySchema,

  async handle({ params: { eventType: type, txnId }, body: { messages }, requester }, rt) {
    const key = { ...requester, endpoint: `PUT sendToDevice ${type}`, txnId }
    await queueMessages(rt, { sender: requester.userId, type, messages }, key)
    return {}
  },
})
