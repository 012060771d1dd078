// SPDX-License-Identifier: Apache-2.0
import type { ownDevice } from '@myelin/services/accounts/devices'
import { Type } from 'typebox'

type OwnDevice = Awaited<ReturnType<typeof ownDevice>>

const TextOrNull = Type.Union([Type.String(), Type.Null()])

/** A device of the requester. Unknown members are null, because clients require every member. */
export const DeviceReply = Type.Object({
  device_id: Type.String(),
  display_name: TextOrNull,
  last_seen_ts: Type.Union([Type.Integer(), Type.Null()]),
  last_seen_ip: TextOrNull,
})

/** Returns the {@link DeviceReply} of a device. */
export function deviceReply(device: OwnDevice) {
  return {
    device_id: device.deviceId,
    display_name: device.displayName,
    last_seen_ts: device.lastSeenTs,
    last_seen_ip: device.lastSeenIp,
  }
}
