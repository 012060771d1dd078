// SPDX-License-Identifier: Apache-2.0
import type { ServerNoticeSettings } from '@myelin/kit/settings/rooms'
import { MatrixError } from '@myelin/matrix/errors'
import { serverOf } from '@myelin/matrix/ids'
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { accountOf } from '@myelin/storage/accounts/accounts'
import { profileOf, putProfileField } from '@myelin/storage/accounts/profiles'
import { membershipIn, membershipsOf } from '@myelin/storage/rooms/members/members'
import { roomById } from '@myelin/storage/rooms/rooms'
import { setTag } from '../account-data/tags.ts'
import { systemAccount } from '../accounts/system-account.ts'
import { loadStateEvent } from '../room-state/load-auth-state.ts'
import { createRoom } from '../rooms/create-room.ts'
import { inTurn } from '../rooms/handshake/room-turns.ts'
import { announceProfile, inviteUser, joinRoom } from '../rooms/membership.ts'
import { sendEvent } from '../rooms/send-event.ts'
import type { Runtime } from '../runtime/runtime.ts'

/** A notice of an admin to a user. */
export interface ServerNotice {
  readonly userId: UserId
  readonly type: string
  readonly stateKey: string | undefined
  readonly content: JsonObject
  /** The admin's device and transaction ID, where the notice is not to be sent twice. */
  readonly transaction?: { readonly deviceId: string; readonly txnId: string }
}

const TAG = 'm.server_notice'

/**
 * Sends a notice to a local user, in their room for server notices, which is made where they have none. Returns the event's ID.
 *
 * @throws MatrixError `M_UNKNOWN` where notices are not configured or the user is of another server, `M_NOT_FOUND` without such a
 *   user
 * @see https://spec.matrix.org/v1.19/client-server-api/#server-notices
 */
export async function sendServerNotice(rt: Runtime, notice: ServerNotice): Promise<EventId> {
  const settings = rt.config.serverNotices
  if (!settings) throw refused('server notices are not enabled on this server')
  const { userId, type, stateKey, content, transaction } = notice
  if (serverOf(userId) !== rt.serverName) throw refused('server notices can only be sent to users of this server')
  const account = await accountOf(rt.db.read, userId)
  if (!account || account.isDeactivated) throw new MatrixError('M_NOT_FOUND', 'no such user')
  const sender = await senderOf(rt, settings)
  // One room a user, also where several notices come at once.
  const turn = `notices for ${userId}` as RoomId
  const roomId = await inTurn(rt.db, turn, () => noticeRoomFor(rt, settings, { sender, userId }))
  return sendEvent(rt, {
    roomId,
    sender,
    type,
    content,
    ...(stateKey === undefined ? {} : { stateKey }),
    ...(transaction ? { transaction } : {}),
    // The server itself sends it: no rate limit applies.
    claim: async () => {},
  })
}

/** Returns the sender of notices, with the name and avatar that the configuration has. */
async function senderOf(rt: Runtime, { localpart, displayName, avatarUrl }: ServerNoticeSettings): Promise<UserId> {
  const sender = await systemAccount(rt, localpart)
  const profile = await profileOf(rt.db.read, sender)
  const wanted = { displayname: displayName, avatar_url: avatarUrl }
  const changed = Object.entries(wanted).filter(([name, value]) => value !== undefined && profile[name] !== value)
  if (changed.length === 0) return sender
  await rt.db.write(async (tx) => {
    for (const [name, value] of changed) if (value !== undefined) await putProfileField(tx, sender, name, value)
  })
  await announceProfile(rt, sender)
  return sender
}

interface Parties {
  readonly sender: UserId
  readonly userId: UserId
}

async function noticeRoomFor(rt: Runtime, settings: ServerNoticeSettings, parties: Parties): Promise<RoomId> {
  const { sender, userId } = parties
  const db = rt.db.read
  for (const { roomId, membership } of await membershipsOf(db, userId)) {
    if (!(await isNoticeRoomOf(rt, roomId, sender))) continue
    if (membership !== 'join' && membership !== 'invite') await inviteUser(rt, { roomId, sender, target: userId })
    return roomId
  }
  return makeRoom(rt, settings, parties)
}

async function makeRoom(rt: Runtime, settings: ServerNoticeSettings, { sender, userId }: Parties): Promise<RoomId> {
  const { roomName, roomTopic, roomAvatarUrl, joinsUsers } = settings
  const avatar = { type: 'm.room.avatar', stateKey: '', content: { url: roomAvatarUrl ?? '' } }
  const roomId = await createRoom(rt, sender, {
    preset: 'private_chat',
    visibility: 'private',
    name: roomName,
    ...(roomTopic === undefined ? {} : { topic: roomTopic }),
    invite: [userId],
    isDirect: false,
    creationContent: { 'm.federate': false },
    initialState: roomAvatarUrl === undefined ? [] : [avatar],
    powerLevels: { users_default: -10 },
    isOfServer: true,
  })
  await setTag(rt, { userId, roomId, tag: TAG }, {})
  if (joinsUsers) await joinRoom(rt, userId, roomId)
  return roomId
}

/** Returns whether the sender of notices made a room, and is in it. */
async function isNoticeRoomOf({ db }: Pick<Runtime, 'db'>, roomId: RoomId, sender: UserId): Promise<boolean> {
  if ((await membershipIn(db.read, roomId, sender))?.membership !== 'join') return false
  const room = await roomById(db.read, roomId)
  const create = room && (await loadStateEvent(db.read, room.stateRoot, 'm.room.create'))
  return create?.sender === sender
}

function refused(text: string): MatrixError {
  return new MatrixError('M_UNKNOWN', text, { status: 400 })
}
