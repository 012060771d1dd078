// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { deleteDehydratedDevice } from './delete-dehydrated-device.ts'
import { getDehydratedDeviceEvents } from './get-dehydrated-device-events.ts'
import { getDehydratedDevice } from './get-dehydrated-device.ts'
import { queryDehydratedDeviceEvents } from './query-dehydrated-device-events.ts'
import { setDehydratedDevice } from './set-dehydrated-device.ts'

/** The dehydrated device of a user (MSC3814). */
export const dehydratedDeviceEndpoints: readonly AnyEndpoint[] = [
  deleteDehydratedDevice,
  getDehydratedDeviceEvents,
  getDehydratedDevice,
  queryDehydratedDeviceEvents,
  setDehydratedDevice,
]
