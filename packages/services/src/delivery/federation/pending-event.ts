// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'

/** An event to send to a server. */
export interface Pending {
  readonly nid: number
  readonly position: number
  readonly roomId: RoomId
}
