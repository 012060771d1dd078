// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { RoomVersion } from '@myelin/rules/room-versions'

/** The room of an event, and the traits of its version. */
export interface RoomContext {
  readonly roomId: RoomId
  readonly version: RoomVersion
}
