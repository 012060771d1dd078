// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Tx } from '@myelin/storage/engine/database'
import { queueEdu } from '@myelin/storage/federation/outgoing-edus'
import { queueToDevice, reachableDevices } from '@myelin/storage/sync/to-device'
import { earlierAnswer, rememberAnswer } from '@myelin/storage/accounts/transactions'
import type { TransactionKey } from '@myelin/storage/accounts/transactions'
import type { Runtime } from '../runtime/runtime.ts'
import { askedUsers } from './asked-users.ts'

/** Contents of one type by user and device, where `*` stands for every device that has none of its own. */
export interface ToDeviceMessages {
  readonly sender: UserId
  readonly type: string
  readonly messages: Readonly<Record<string, Readonly<Record<string, JsonObject>>>>
}

/** The limit of a message with its sender and type; the same as that of an event. */
const MAX_BYTES = 65_536
const EVERY_DEVICE = '*'

/**
 * Queues messages for devices, which get them with their next sync. Repeating a request has no effect.
 *
 * Messages for unknown devices are dropped without an error.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3sendtodeviceeventtypetxnid
 */
export async function sendToDevice(
  rt: Pick<Runtime, 'db' | 'limits' | 'serverName' | 'clock' | 'random'>,
  sent: ToDeviceMessages,
  key: TransactionKey,
): Promise<void> {
  // A client that lost the answer repeats the request, and is not held up.
  if ((await earlierAnswer(rt.db.read, key)) !== undefined) return
  rt.limits.take('toDevice', `${key.userId} ${key.deviceId}`)
  const { local, away } = askedUsers(rt.serverName, sent.messages)
  const encoded = new Map([...local].map(([user, contents]) => [user, encodedMessages(sent, contents)]))
  for (const users of away.values()) for (const contents of users.values()) encodedMessages(sent, contents)
  const now = rt.clock.now()
  await rt.db.write(async (tx) => {
    if ((await earlierAnswer(tx, key)) !== undefined) return
    await queueForDevices(tx, encoded)
    for (const [server, users] of away) {
      for (const edu of eduParts(rt, sent, users)) await queueEdu(tx, server, JSON.stringify(edu), now)
    }
    await rememberAnswer(tx, key, '', now)
  })
}

/** Queues encoded messages by user and device, where `*` stands for every device that has none of its own. */
export async function queueForDevices(
  tx: Tx,
  encoded: ReadonlyMap<UserId, ReadonlyMap<string, string>>,
): Promise<void> {
  const devices = await reachableDevices(tx, [...encoded.keys()])
  for (const [user, messages] of encoded) {
    const toAll = messages.get(EVERY_DEVICE)
    for (const deviceId of devices.get(user) ?? []) {
      const message = messages.get(deviceId) ?? toAll
      if (message !== undefined) await queueToDevice(tx, user, deviceId, message)
    }
  }
}

type Contents = Readonly<Record<string, JsonObject>>

/**
 * Splits the messages for a server into parts that fit into an EDU.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#send-to-device-messaging
 */
function eduParts(
  { random }: Pick<Runtime, 'random'>,
  { sender, type }: ToDeviceMessages,
  users: ReadonlyMap<UserId, Contents>,
): JsonObject[] {
  const parts: JsonObject[] = []
  let messages = new Map<UserId, Map<string, JsonObject>>()
  let sizeBytes = 0
  const close = () => {
    if (messages.size === 0) return
    const named = [...messages].map(([user, contents]) => [user, Object.fromEntries(contents)])
    const content = { sender, type, message_id: random.token(32), messages: Object.fromEntries(named) as JsonObject }
    parts.push({ edu_type: 'm.direct_to_device', content })
    messages = new Map()
    sizeBytes = 0
  }
  for (const [user, contents] of users) {
    for (const [deviceId, content] of Object.entries(contents)) {
      const bytes = Buffer.byteLength(JSON.stringify(content)) + user.length + deviceId.length
      if (sizeBytes + bytes > MAX_BYTES) close()
      sizeBytes += bytes
      messages.set(user, (messages.get(user) ?? new Map<string, JsonObject>()).set(deviceId, content))
    }
  }
  close()
  return parts
}

/** Returns the messages by user and device as they are queued; throws `M_TOO_LARGE`. */
export function encodedMessages(
  { sender, type }: Pick<ToDeviceMessages, 'sender' | 'type'>,
  contents: Readonly<Record<string, JsonObject>>,
): Map<string, string> {
  return new Map(
    Object.entries(contents).map(([deviceId, content]) => {
      const message = JSON.stringify({ type, sender, content })
      if (Buffer.byteLength(message) > MAX_BYTES) throw new MatrixError('M_TOO_LARGE', 'a message is too large')
      return [deviceId, message]
    }),
  )
}
