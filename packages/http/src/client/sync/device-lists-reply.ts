// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'

/** The users whose devices changed, and those who no longer share a room with the requester. */
export const DeviceListsReply = Type.Object({ changed: Type.Array(Type.String()), left: Type.Array(Type.String()) })
