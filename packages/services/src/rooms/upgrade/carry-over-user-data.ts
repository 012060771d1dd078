// SPDX-License-Identifier: Apache-2.0
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { member, objectMember, stringMember } from '@myelin/matrix/json'
import type { Json } from '@myelin/matrix/json'
import { accountDataOf, putAccountData } from '@myelin/storage/accounts/account-data'
import type { Read, Tx } from '@myelin/storage/engine/database'
import { aliasesOf, moveAliases } from '@myelin/storage/rooms/aliases'
import { publishRoom, roomById } from '@myelin/storage/rooms/rooms'
import { copyRoomRules } from '../../account-data/edit-push-rules.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { loadStateEvent } from '../../room-state/load-auth-state.ts'

/**
 * Copies a local user's data from a replaced room to its replacement: tags, direct chats and push rules; and this
 * server's aliases and directory entry. Existing data of the new room stays.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#room-upgrades
 */
export async function carryOverUserData(rt: Pick<Runtime, 'db'>, userId: UserId, roomId: RoomId): Promise<void> {
  const old = await replacedBy(rt.db.read, roomId)
  if (old === undefined) return
  await rt.db.write(async (tx) => {
    await moveNames(tx, old, roomId)
    await copyTags(tx, userId, old, roomId)
    await copyDirect(tx, userId, old, roomId)
  })
  await copyRoomRules(rt, userId, old, roomId)
}

/** Returns the room that this one replaces, where both rooms say so; one alone may be wrong. */
async function replacedBy(db: Read, roomId: RoomId): Promise<RoomId | undefined> {
  const room = await roomById(db, roomId)
  const create = room && (await loadStateEvent(db, room.stateRoot, 'm.room.create'))
  const named = create && stringMember(objectMember(create.content, 'predecessor') ?? {}, 'room_id')
  const old = named === undefined ? undefined : await roomById(db, named as RoomId)
  const tombstone = old && (await loadStateEvent(db, old.stateRoot, 'm.room.tombstone'))
  const isSaid = tombstone && stringMember(tombstone.content, 'replacement_room') === roomId
  return isSaid ? (named as RoomId) : undefined
}

/** Moves this server's aliases and directory entry, where a user of another server made the new room. */
async function moveNames(tx: Tx, from: RoomId, to: RoomId): Promise<void> {
  if ((await aliasesOf(tx, from)).length > 0) await moveAliases(tx, from, to)
  const old = await roomById(tx, from)
  if (!old?.isPublished) return
  await publishRoom(tx, from, false)
  await publishRoom(tx, to, true)
}

async function copyTags(tx: Tx, userId: UserId, from: RoomId, to: RoomId): Promise<void> {
  const [old, own] = [await accountDataOf(tx, userId, from, 'm.tag'), await accountDataOf(tx, userId, to, 'm.tag')]
  if (!old || own || Object.keys(objectMember(old, 'tags') ?? {}).length === 0) return
  await putAccountData(tx, { userId, roomId: to, type: 'm.tag', content: old })
}

async function copyDirect(tx: Tx, userId: UserId, from: RoomId, to: RoomId): Promise<void> {
  const direct = await accountDataOf(tx, userId, '', 'm.direct')
  if (!direct) return
  let isChanged = false
  const entries = Object.keys(direct).map((other): [string, Json] => {
    const rooms = member(direct, other)
    if (!Array.isArray(rooms) || !rooms.includes(from) || rooms.includes(to)) return [other, rooms ?? null]
    isChanged = true
    return [other, [...(rooms as readonly Json[]), to]]
  })
  if (isChanged)
    await putAccountData(tx, { userId, roomId: '', type: 'm.direct', content: Object.fromEntries(entries) })
}
