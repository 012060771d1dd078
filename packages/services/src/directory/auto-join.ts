// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import { isGuest, isOnlyAccount } from '@myelin/storage/accounts/accounts'
import { roomById } from '@myelin/storage/rooms/rooms'
import { systemAccount } from '../accounts/system-account.ts'
import { loadStateEvent } from '../room-state/load-auth-state.ts'
import { isResident } from '../room-state/servers-around.ts'
import { createRoom } from '../rooms/create-room.ts'
import { inviteUser, joinRoom } from '../rooms/membership.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { findRoom } from './aliases.ts'
import { resolveRoom } from './resolve-room.ts'

type Needs = Parameters<typeof findRoom>[0] &
  Parameters<typeof joinRoom>[0] &
  Parameters<typeof createRoom>[0] &
  Runtime

/**
 * Lets a new user join the rooms that `auto_join_rooms` names. The first user makes those of this server that do not exist. A room
 * that cannot be made or joined is logged and left out: the registration stands.
 */
export async function joinFirstRooms(rt: Needs, userId: UserId): Promise<void> {
  const { rooms, isForGuests, createsRooms, localpart } = rt.config.autoJoin
  if (rooms.length === 0) return
  if (!isForGuests && (await isGuest(rt.db.read, userId))) return
  const inviter = localpart === undefined ? undefined : await systemAccount(rt, localpart)
  if (userId === inviter) return
  const isFirst = createsRooms && (await isFirstUser(rt, userId, inviter))
  for (const name of rooms) {
    try {
      await joinOne(rt, userId, { name, inviter, isFirst })
    } catch (cause) {
      if (!(cause instanceof MatrixError)) throw cause
      rt.log.warn({ err: cause, room: name, user: userId }, 'a new user could not join a room of auto_join_rooms')
    }
  }
}

interface FirstRoom {
  readonly name: string
  /** The user who makes rooms and invites; undefined where the first user does. */
  readonly inviter: UserId | undefined
  readonly isFirst: boolean
}

async function joinOne(rt: Needs, userId: UserId, { name, inviter, isFirst }: FirstRoom): Promise<void> {
  const isOurs = name.startsWith('#') && name.endsWith(`:${rt.serverName}`)
  if (isOurs && isFirst) await makeMissing(rt, inviter ?? userId, name)
  const { roomId, servers } = await resolveRoom(rt, userId, name)
  if (inviter !== undefined && (await needsInvite(rt, roomId))) {
    await inviteUser(rt, { roomId, sender: inviter, target: userId })
  }
  await joinRoom(rt, userId, roomId, { via: servers })
}

/** Creates a room with an alias of this server, unless the alias is taken. */
async function makeMissing(rt: Needs, creator: UserId, alias: string): Promise<void> {
  const { preset, areFederated } = rt.config.autoJoin
  try {
    await createRoom(rt, creator, {
      preset,
      visibility: 'private',
      roomAliasName: alias.slice(1, -rt.serverName.length - 1),
      invite: [],
      isDirect: false,
      creationContent: areFederated ? {} : { 'm.federate': false },
      initialState: [],
    })
  } catch (cause) {
    if (!(cause instanceof MatrixError && cause.code === 'M_ROOM_IN_USE')) throw cause
  }
}

async function needsInvite(rt: Needs, roomId: RoomId): Promise<boolean> {
  const room = (await isResident(rt, roomId)) ? await roomById(rt.db.read, roomId) : undefined
  const rule = room && (await loadStateEvent(rt.db.read, room.stateRoot, 'm.room.join_rules'))
  return room !== undefined && (rule === undefined || stringMember(rule.content, 'join_rule') !== 'public')
}

async function isFirstUser(rt: Needs, userId: UserId, inviter: UserId | undefined): Promise<boolean> {
  if (await isGuest(rt.db.read, userId)) return false
  return isOnlyAccount(rt.db.read, userId, inviter === undefined ? [] : [inviter])
}
