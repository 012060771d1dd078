// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { RoomVersion } from '@myelin/rules/room-versions'

/** States whose resolution is too much work for a unit; what was done so far is taken back. */
export class NeedsResolution extends Error {
  override readonly name = 'NeedsResolution'
  readonly roomId: RoomId
  readonly version: RoomVersion
  /** Roots of distinct states, ascending. */
  readonly roots: readonly number[]

  constructor(roomId: RoomId, version: RoomVersion, roots: readonly number[]) {
    super('states must be resolved outside of the unit')
    this.roomId = roomId
    this.version = version
    this.roots = roots
  }
}
