// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'

/** A device's id. Clients may choose one: any text without a null byte, which no database would take. */
export const DeviceIdSchema = Type.String({ minLength: 1, maxLength: 512, pattern: '^[^\\u0000]*$' })
/** What a device is called by its owner. */
export const DeviceNameSchema = Type.String({ pattern: '^[^\\u0000]*$' })
