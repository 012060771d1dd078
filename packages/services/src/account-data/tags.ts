// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { fitsBytes } from '@myelin/matrix/ids'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { member, objectMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { accountDataOf } from '@myelin/storage/accounts/account-data'
import type { Read, Tx } from '@myelin/storage/engine/database'
import type { Runtime } from '../runtime/runtime.ts'
import { checkedRoomId, putBounded } from './account-data.ts'

/** A user's tag of a room. */
export interface TagName {
  readonly userId: UserId
  readonly roomId: string
  readonly tag: string
}

// The tags of a room together: `/sync` sends all of them when one changes.
const MAX_BYTES = 65_536

/**
 * Returns a user's tags of a room.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3useruseridroomsroomidtags
 */
export async function readTags(
  rt: Pick<Runtime, 'db'>,
  { userId, roomId }: Omit<TagName, 'tag'>,
): Promise<{ readonly tags: JsonObject }> {
  return { tags: await tagsOf(rt.db.read, userId, checkedRoomId(roomId)) }
}

/**
 * Adds a tag to a room, or replaces its content.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3useruseridroomsroomidtagstag
 */
export async function setTag(rt: Pick<Runtime, 'db'>, name: TagName, content: JsonObject): Promise<void> {
  const roomId = checkedRoomId(name.roomId)
  if (!fitsBytes(name.tag, 255)) throw new MatrixError('M_INVALID_PARAM', 'a tag must have at most 255 bytes')
  const order = member(content, 'order')
  if (order !== undefined && order !== null && typeof order !== 'number')
    throw new MatrixError('M_BAD_JSON', '`order` must be a number')
  await rt.db.write(async (tx) => {
    const tags = new Map(Object.entries(await tagsOf(tx, name.userId, roomId)))
    await putTags(tx, name.userId, roomId, Object.fromEntries(tags.set(name.tag, content)))
  })
}

/** Removes a tag; has no effect if it is not there. */
export async function removeTag(rt: Pick<Runtime, 'db'>, name: TagName): Promise<void> {
  const roomId = checkedRoomId(name.roomId)
  await rt.db.write(async (tx) => {
    const tags = new Map(Object.entries(await tagsOf(tx, name.userId, roomId)))
    if (tags.delete(name.tag)) await putTags(tx, name.userId, roomId, Object.fromEntries(tags))
  })
}

async function tagsOf(db: Read, userId: UserId, roomId: RoomId): Promise<JsonObject> {
  const stored = await accountDataOf(db, userId, roomId, 'm.tag')
  return (stored && objectMember(stored, 'tags')) ?? {}
}

async function putTags(tx: Tx, userId: UserId, roomId: RoomId, tags: JsonObject): Promise<void> {
  if (!fitsBytes(JSON.stringify(tags), MAX_BYTES)) throw new MatrixError('M_TOO_LARGE', 'too many tags')
  await putBounded(tx, { userId, roomId, type: 'm.tag', content: { tags } })
}
