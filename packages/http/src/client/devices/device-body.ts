// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'
import type { ownDevice } from '@myelin/services/accounts/devices'

/** A device of one's own. */
export type OwnDevice = Awaited<ReturnType<typeof ownDevice>>

/** A device as it goes over the wire; what is not known is left out. */
export function deviceBody(device: OwnDevice): JsonObject {
  return {
    device_id: device.deviceId,
    ...(device.displayName === null ? {} : { display_name: device.displayName }),
    ...(device.lastSeenTs === null ? {} : { last_seen_ts: device.lastSeenTs }),
    ...(device.lastSeenIp === null ? {} : { last_seen_ip: device.lastSeenIp }),
  }
}
