// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { sendToDevice } from './send-to-device.ts'

/** To-device messages. */
export const toDeviceEndpoints: readonly AnyEndpoint[] = [sendToDevice]
