// SPDX-License-Identifier: Apache-2.0
import type { ownDevice } from '@myelin/services/accounts/devices'
import { Type } from 'typebox'
import { OptionalText } from '../../schemas.ts'

type OwnDevice = Awaited<ReturnType<typeof ownDevice>>

/** A device of the requester. */
export const DeviceReply = Type.Object({
  device_id: Type.String(),
  display_name: OptionalText,
  last_seen_ts: Type.Optional(Type.Integer()),
  last_seen_ip: OptionalText,
})

/** Returns the {@link DeviceReply} of a device. */
export function deviceReply(device: OwnDevice) {
  return {
    device_id: device.deviceId,
    display_name: device.displayName ?? undefined,
    last_seen_ts: device.lastSeenTs ?? undefined,
    last_seen_ip: device.lastSeenIp ?? undefined,
  }
}
