// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isUserId } from '@myelin/matrix/ids'
import type { RoomId } from '@myelin/matrix/ids'
import { mutualRooms } from '@myelin/storage/rooms/members/shared-rooms'
import type { Requester, Runtime } from '../runtime/runtime.ts'

/** Rooms that two users share; `next_batch` where there are more. */
export interface MutualRooms {
  readonly joined: readonly RoomId[]
  readonly count: number
  readonly next_batch?: string
}

const PAGE = 100

/**
 * Returns the rooms that the requester and another user are both joined to.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mutual_rooms
 */
export async function roomsShared(
  rt: Pick<Runtime, 'db'>,
  { userId }: Requester,
  other: string,
  from: string | undefined,
): Promise<MutualRooms> {
  if (!isUserId(other)) throw new MatrixError('M_INVALID_PARAM', '`user_id` must be a user ID')
  if (other === userId) throw new MatrixError('M_INVALID_PARAM', '`user_id` must be another user')
  const behind = from === undefined ? undefined : roomIn(from)
  const { rooms, count } = await mutualRooms(rt.db.read, [userId, other], { behind, limit: PAGE + 1 })
  const joined = rooms.slice(0, PAGE)
  const last = joined.at(-1)
  const next = rooms.length > PAGE && last !== undefined ? { next_batch: Buffer.from(last).toString('base64url') } : {}
  return { joined, count, ...next }
}

function roomIn(token: string): RoomId {
  const text = Buffer.from(token, 'base64url').toString()
  if (!text.startsWith('!') || Buffer.from(text).toString('base64url') !== token) {
    throw new MatrixError('M_INVALID_PARAM', 'invalid pagination token')
  }
  return text as RoomId
}
