// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isServerName } from '@myelin/matrix/ids'
import type { RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import { RemoteError } from '@myelin/remote/remote-error'
import type { Read } from '@myelin/storage/engine/database'
import { membershipIn } from '@myelin/storage/rooms/members/members'
import type { Asker } from '../peers/ask-server.ts'
import { askHierarchy } from '../peers/hierarchy.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { isPublicRoom, mayUserEnter } from './spaces/may-enter.ts'
import { resolveRoom } from './resolve-room.ts'
import { summaryOf } from '../room-state/room-summary.ts'
import type { RoomSummary } from '../room-state/room-summary.ts'

type Needs = Pick<Runtime, 'db' | 'limits'> & Asker & Pick<Runtime, 'log'>

/**
 * Returns the summary of a room, for users who may enter it; `user` is undefined for a client without an account, and `payer` is
 * then its address.
 * Other servers are queried where no local user is in the room. Throws `M_NOT_FOUND` otherwise.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1room_summaryroomidoralias
 */
export async function readSummary(
  rt: Needs,
  { user, payer }: { readonly user: UserId | undefined; readonly payer: string },
  idOrAlias: string,
  via: readonly string[],
): Promise<RoomSummary & { readonly membership?: string }> {
  const db = rt.db.read
  const { roomId, servers } = await resolveRoom(rt, payer, idOrAlias)
  const asked = [...new Set([...via.filter(isServerName), ...servers])]
  const summary = (await summaryOf(db, roomId)) ?? (await fetchSummary(rt, payer, { roomId, servers: asked }))
  if (!summary || !(await mayBeShown(db, user, summary))) throw new MatrixError('M_NOT_FOUND', 'no such room')
  const standing = user === undefined ? undefined : await membershipIn(db, roomId, user)
  return { ...summary, ...(standing ? { membership: standing.membership } : {}) }
}

async function fetchSummary(
  rt: Needs,
  payer: string,
  { roomId, servers }: { readonly roomId: RoomId; readonly servers: readonly ServerName[] },
): Promise<RoomSummary | undefined> {
  try {
    return (await askHierarchy(rt, payer, servers, { roomId, suggestedOnly: false })).summary
  } catch (cause) {
    if (!(cause instanceof RemoteError)) throw cause
    return undefined
  }
}

async function mayBeShown(db: Read, user: UserId | undefined, summary: RoomSummary): Promise<boolean> {
  return user === undefined ? isPublicRoom(summary) : mayUserEnter(db, user, summary)
}
