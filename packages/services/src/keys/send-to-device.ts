// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { queueToDevice, reachableDevices } from '@myelin/storage/to-device'
import { earlierAnswer, rememberAnswer } from '@myelin/storage/transactions'
import type { TransactionKey } from '@myelin/storage/transactions'
import type { Runtime } from '../runtime.ts'
import { askedUsers } from './asked-users.ts'

/** Contents of one type by user and device, where `*` stands for every device that has none of its own. */
export interface ToDeviceMessages {
  readonly sender: UserId
  readonly type: string
  readonly messages: Readonly<Record<string, Readonly<Record<string, JsonObject>>>>
}

/** What one message may take, with its sender and type: as much as an event. */
const MAX_BYTES = 65_536
const EVERY_DEVICE = '*'

/**
 * Queues messages for devices, each of which gets one at its next sync; a request repeated under the same key does nothing.
 *
 * A device we do not know gets nothing, and nobody is told.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3sendtodeviceeventtypetxnid
 */
export async function sendToDevice(
  rt: Pick<Runtime, 'db' | 'serverName' | 'clock'>,
  sent: ToDeviceMessages,
  key: TransactionKey,
): Promise<void> {
  // NOTE: until there is federation, what goes to users of other servers is lost.
  const { local } = askedUsers(rt.serverName, sent.messages)
  const encoded = new Map([...local].map(([user, contents]) => [user, encodedMessages(sent, contents)]))
  await rt.db.write(async (tx) => {
    if ((await earlierAnswer(tx, key)) !== undefined) return
    const devices = await reachableDevices(tx, [...encoded.keys()])
    for (const [user, messages] of encoded) {
      const toAll = messages.get(EVERY_DEVICE)
      for (const deviceId of devices.get(user) ?? []) {
        const message = messages.get(deviceId) ?? toAll
        if (message !== undefined) await queueToDevice(tx, user, deviceId, message)
      }
    }
    await rememberAnswer(tx, key, '', rt.clock.now())
  })
}

function encodedMessages(
  { sender, type }: ToDeviceMessages,
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
