// SPDX-License-Identifier: Apache-2.0
import type { ServerName } from '@myelin/matrix/ids'
import { isObject, objectMember, stringMember } from '@myelin/matrix/json'
import type { Json } from '@myelin/matrix/json'
import type { EduReceiver, ReceiveEdu } from './edu-receiver.ts'
import { receiveDeviceListUpdate, receiveSigningKeyUpdate } from './device-lists.ts'
import { receivePresence } from './presence.ts'
import { receiveReceipt } from './receipt.ts'
import { receiveToDevice } from './to-device.ts'
import { receiveTyping } from './typing.ts'

/** The handlers by EDU type. */
const RECEIVERS: ReadonlyMap<string, ReceiveEdu> = new Map([
  ['m.device_list_update', receiveDeviceListUpdate],
  ['m.direct_to_device', receiveToDevice],
  ['m.presence', receivePresence],
  ['m.receipt', receiveReceipt],
  ['m.signing_key_update', receiveSigningKeyUpdate],
  ['m.typing', receiveTyping],
])

/** Handles EDUs one after the other; unknown types are ignored, and a failure concerns one EDU only. */
export async function receiveEdus(rt: EduReceiver, origin: ServerName, edus: readonly Json[]): Promise<void> {
  for (const edu of edus) {
    if (!isObject(edu)) continue
    const [type, content] = [stringMember(edu, 'edu_type'), objectMember(edu, 'content')]
    const receive = type === undefined ? undefined : RECEIVERS.get(type)
    if (receive && content) await receive(rt, origin, content)
  }
}
