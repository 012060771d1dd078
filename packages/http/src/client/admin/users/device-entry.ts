// SPDX-License-Identifier: Apache-2.0
import type { deviceOfUser } from '@myelin/services/moderation/user-devices'
import type { UserId } from '@myelin/matrix/ids'
import { Type } from 'typebox'
import { DeviceIdSchema, UserIdSchema } from '../../../schemas.ts'

const TextOrNull = Type.Union([Type.String(), Type.Null()])

/** The parameters of operations on one device of a user. */
export const UserDeviceParams = Type.Object({ userId: UserIdSchema, deviceId: DeviceIdSchema })

/** A device as admins see it. `dehydrated` stands only where the user has a dehydrated device, as in Synapse. */
export const DeviceEntry = Type.Object({
  user_id: Type.String(),
  device_id: Type.String(),
  display_name: TextOrNull,
  last_seen_user_agent: TextOrNull,
  last_seen_ts: Type.Union([Type.Integer(), Type.Null()]),
  last_seen_ip: TextOrNull,
  dehydrated: Type.Optional(Type.Boolean()),
})

/** Returns the {@link DeviceEntry} of a user's device. */
export function deviceEntry(userId: UserId, device: Awaited<ReturnType<typeof deviceOfUser>>) {
  return {
    user_id: userId,
    device_id: device.deviceId,
    display_name: device.displayName,
    last_seen_user_agent: device.userAgent,
    last_seen_ts: device.lastSeenTs,
    last_seen_ip: device.lastSeenIp,
  }
}
