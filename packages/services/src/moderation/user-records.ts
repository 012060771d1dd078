// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { accountDataBetween } from '@myelin/storage/accounts/account-data'
import { pushersOf } from '@myelin/storage/accounts/pushers'
import type { Pusher } from '@myelin/storage/accounts/pushers'
import { membershipsOf } from '@myelin/storage/rooms/members/members'
import type { Runtime } from '../runtime/runtime.ts'
import { localAccount } from './local-account.ts'

type Needs = Pick<Runtime, 'db' | 'serverName'>

/** Returns the rooms that a user is joined to, as this server knows it; of users of other servers as well. */
export async function joinedRoomsOf(rt: Needs, userId: UserId): Promise<RoomId[]> {
  const memberships = await membershipsOf(rt.db.read, userId)
  return memberships.flatMap(({ roomId, membership }) => (membership === 'join' ? [roomId] : []))
}

/** Returns the membership of a user in each room this server knows, forgotten rooms too. */
export async function membershipsOfUser(rt: Needs, userId: UserId): Promise<Map<RoomId, string>> {
  const memberships = await membershipsOf(rt.db.read, userId)
  return new Map(memberships.map(({ roomId, membership }) => [roomId, membership]))
}

/** Returns the pushers of a user of this server. */
export async function pushersOfUser(rt: Needs, userId: UserId): Promise<readonly Pusher[]> {
  const account = await localAccount(rt, userId)
  return pushersOf(rt.db.read, account.userId)
}

/** Account data by type, encoded. */
export type DataByType = Readonly<Record<string, RawJson>>

/** Returns the account data of a user of this server: the global ones by type, and those of rooms by room and type. */
export async function accountDataOfUser(
  rt: Needs,
  userId: UserId,
): Promise<{ readonly global: DataByType; readonly rooms: Readonly<Record<string, DataByType>> }> {
  const account = await localAccount(rt, userId)
  const entries = await accountDataBetween(rt.db.read, account.userId, 0, Number.MAX_SAFE_INTEGER)
  const rooms = new Map<string, [string, RawJson][]>()
  for (const { roomId, type, content } of entries) {
    const known = rooms.get(roomId)
    if (known) known.push([type, content])
    else rooms.set(roomId, [[type, content]])
  }
  const global = Object.fromEntries(rooms.get('') ?? [])
  rooms.delete('')
  return { global, rooms: Object.fromEntries([...rooms].map(([roomId, list]) => [roomId, Object.fromEntries(list)])) }
}
