// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { ROOM_VERSIONS } from '@myelin/rules/room-versions'
import type { RoomVersion } from '@myelin/rules/room-versions'

/** Returns the traits of a room version; throws `M_UNSUPPORTED_ROOM_VERSION` for an unknown one. */
export function roomVersionOf(id: string): RoomVersion {
  const version = ROOM_VERSIONS.get(id)
  if (!version) throw new MatrixError('M_UNSUPPORTED_ROOM_VERSION', 'the room version is not supported')
  return version
}
