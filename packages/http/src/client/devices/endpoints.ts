// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { deleteDevice } from './delete-device.ts'
import { deleteDevices } from './delete-devices.ts'
import { getDevice } from './get-device.ts'
import { getDevices } from './get-devices.ts'
import { updateDevice } from './update-device.ts'

/** The devices of the requester. */
export const deviceEndpoints: readonly AnyEndpoint[] = [
  deleteDevice,
  deleteDevices,
  getDevice,
  getDevices,
  updateDevice,
]
