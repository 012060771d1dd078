// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { deleteDevice, deleteDevices } from './delete-devices.ts'
import { getDevice, getDevices } from './get-devices.ts'
import { updateDevice } from './update-device.ts'

/** One's own devices. */
export const deviceEndpoints: readonly AnyEndpoint[] = [
  deleteDevice,
  deleteDevices,
  getDevice,
  getDevices,
  updateDevice,
]
