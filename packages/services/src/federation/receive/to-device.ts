// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isUserId, serverOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { isObject, objectMember, stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { earlierAnswer, rememberAnswer } from '@myelin/storage/accounts/transactions'
import type { TransactionKey } from '@myelin/storage/accounts/transactions'
import { encodedMessages, queueForDevices } from '../../keys/send-to-device.ts'
import type { EduReceiver, ReceiveEdu } from './edu-receiver.ts'

/** The longest transaction ID, in code points. */
const MAX_ID = 32
const MAX_TYPE_BYTES = 255
const MAX_MESSAGES = 1_000

/**
 * Queues to-device messages for local devices; a repeated message ID has no effect.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#send-to-device-messaging
 */
export const receiveToDevice: ReceiveEdu = async (rt, origin, content) => {
  const [sender, type, id] = ['sender', 'type', 'message_id'].map((name) => stringMember(content, name))
  if (!isUserId(sender) || serverOf(sender) !== origin) return
  if (type === undefined || Buffer.byteLength(type) > MAX_TYPE_BYTES) return
  if (id === undefined || id.length > 2 * MAX_ID || Array.from(id).length > MAX_ID) return
  const encoded = messagesFor(rt, { sender, type }, objectMember(content, 'messages') ?? {})
  if (encoded.size === 0) return
  const key: TransactionKey = { userId: sender, deviceId: origin, endpoint: 'm.direct_to_device', txnId: id }
  await rt.db.write(async (tx) => {
    if ((await earlierAnswer(tx, key)) !== undefined) return
    await queueForDevices(tx, encoded)
    await rememberAnswer(tx, key, '', rt.clock.now())
  })
}

/** Returns the messages for local users, without oversized ones, up to a limit. */
function messagesFor(
  { serverName }: EduReceiver,
  head: { readonly sender: UserId; readonly type: string },
  messages: JsonObject,
): Map<UserId, Map<string, string>> {
  const encoded = new Map<UserId, Map<string, string>>()
  let left = MAX_MESSAGES
  for (const [user, devices] of Object.entries(messages)) {
    if (!isUserId(user) || serverOf(user) !== serverName || !isObject(devices)) continue
    for (const [deviceId, content] of Object.entries(devices)) {
      const message = isObject(content) && left-- > 0 ? encodedMessage(head, deviceId, content) : undefined
      if (message === undefined) continue
      encoded.set(user, (encoded.get(user) ?? new Map<string, string>()).set(deviceId, message))
    }
  }
  return encoded
}

function encodedMessage(
  head: { readonly sender: UserId; readonly type: string },
  deviceId: string,
  content: JsonObject,
): string | undefined {
  try {
    return encodedMessages(head, { [deviceId]: content }).get(deviceId)
  } catch (cause) {
    if (cause instanceof MatrixError) return undefined
    throw cause
  }
}
