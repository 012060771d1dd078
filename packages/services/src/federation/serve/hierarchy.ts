// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { summaryOf } from '../../room-state/room-summary.ts'
import type { RoomSummary } from '../../room-state/room-summary.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { mayServerEnter } from '../../directory/spaces/may-enter.ts'
import { ownRoom } from '../../directory/spaces/own-room.ts'

const MAX_CHILDREN = 50

/** A space and its children, in the wire format. */
export interface ServedSpace {
  readonly room: RoomSummary & { readonly children_state: readonly JsonObject[] }
  readonly children: readonly RoomSummary[]
  readonly inaccessible_children: readonly RoomId[]
}

/**
 * Returns a space and its locally known children, split into those that the requesting server's users could enter and
 * the others.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1hierarchyroomid
 */
export async function serveHierarchy(
  rt: Pick<Runtime, 'db'>,
  asked: { readonly origin: ServerName; readonly roomId: RoomId; readonly suggestedOnly: boolean },
): Promise<ServedSpace> {
  const db = rt.db.read
  const space = await ownRoom(db, asked.roomId)
  if (!space || !(await mayServerEnter(db, asked.origin, space.summary))) {
    throw new MatrixError('M_NOT_FOUND', 'no such room')
  }
  const held = space.children.filter(({ isSuggested }) => isSuggested || !asked.suggestedOnly).slice(0, MAX_CHILDREN)
  const children: RoomSummary[] = []
  const inaccessible: RoomId[] = []
  for (const { roomId } of held) {
    const summary = await summaryOf(db, roomId)
    if (!summary) continue
    if (await mayServerEnter(db, asked.origin, summary)) children.push(summary)
    else inaccessible.push(roomId)
  }
  const room = { ...space.summary, children_state: held.map(({ shown }) => shown) }
  return { room, children, inaccessible_children: inaccessible }
}
