// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { ErrorCode } from '@myelin/matrix/errors'
import type { EventId, RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import { serverOf } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { REDACT_EVENTS } from '@myelin/rules/auth/rules/redaction'
import { RemoteError } from '@myelin/remote/remote-error'
import { isGuest } from '@myelin/storage/accounts/accounts'
import { eventById } from '@myelin/storage/rooms/events/events'
import { joinedServers } from '@myelin/storage/rooms/members/joined-servers'
import { forgetRoom, membershipIn, membershipsOf } from '@myelin/storage/rooms/members/members'
import { askHierarchy } from '../peers/hierarchy.ts'
import { guestsRefused } from '../room-state/guest-access.ts'
import { loadStateEvent } from '../room-state/load-auth-state.ts'
import { refuseInvites } from '../standing/may-invite.ts'
import { roomById } from '@myelin/storage/rooms/rooms'
import { refuseSuspended } from '../standing/suspension.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { EventMaker } from './drafts/event-draft.ts'
import { candidates } from './handshake/try-servers.ts'
import { joinRemote } from './handshake/join-remote.ts'
import type { Joiner } from './handshake/join-remote.ts'
import { inviteRemote } from './handshake/invite-remote.ts'
import { knockRemote } from './handshake/knock-remote.ts'
import { leaveRemote } from './handshake/leave-remote.ts'
import { inTurn } from './handshake/room-turns.ts'
import { isResident, serversAround } from '../room-state/servers-around.ts'
import { isPartial, requireFullState } from '../room-state/await-whole.ts'
import { notInRoomText } from './drafts/refusal.ts'
import { finishRemovals } from './append/redact-removed.ts'
import { writeEvents } from './append/write-events.ts'
import { carryOverUserData } from './upgrade/carry-over-user-data.ts'
import { changeMembership, memberContent } from './append/members-change.ts'
import type { MembershipChange } from './append/members-change.ts'

type Needs = EventMaker & Joiner & Pick<Runtime, 'db' | 'limits' | 'typing' | 'config'>

/** The optional members of a membership request: a reason and further content. */
export interface MembershipDetails {
  readonly reason?: string
  readonly extra?: JsonObject
}

/** A request to join, with servers to join through. */
export interface JoinRequest extends MembershipDetails {
  readonly via?: readonly string[]
}

/**
 * Joins a user to a room, through other servers where this one is not in it or cannot authorize the join. A joined
 * user stays joined, without a new event.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3joinroomidoralias
 */
export async function joinRoom(rt: Needs, user: UserId, roomId: RoomId, request: JoinRequest = {}): Promise<void> {
  if ((await membershipIn(rt.db.read, roomId, user))?.membership === 'join') return
  await refuseSuspended(rt, user)
  await enterRoom(rt, user, roomId, request)
  await carryOverUserData(rt, user, roomId)
}

async function enterRoom(
  rt: Needs,
  user: UserId,
  roomId: RoomId,
  { via = [], ...wording }: JoinRequest,
): Promise<void> {
  if (await joinHere(rt, user, roomId, wording)) return
  const servers = candidates(rt, via, await serversAround(rt, user, roomId))
  if (servers.length === 0) throw noServers()
  rt.limits.take('joinRemote', user)
  if (await isGuest(rt.db.read, user)) await requireGuestAccess(rt, user, { roomId, servers })
  await inTurn(rt.db, roomId, async () => {
    if (await joinHere(rt, user, roomId, wording)) return
    const content = await memberContent(rt.db.read, rt, { target: user, membership: 'join', ...wording })
    await joinRemote(rt, servers, { roomId, userId: user, membership: 'join' }, content)
  })
}

/** Refuses a guest where the servers of a room do not say that guests may join it. */
async function requireGuestAccess(
  rt: Needs,
  user: UserId,
  { roomId, servers }: { readonly roomId: RoomId; readonly servers: readonly ServerName[] },
): Promise<void> {
  try {
    const { summary } = await askHierarchy(rt, user, servers, { roomId, suggestedOnly: true })
    if (summary.guest_can_join) return
  } catch (cause) {
    if (!(cause instanceof RemoteError)) throw cause
  }
  throw guestsRefused()
}

/** Joins a room that this server is in; returns false where another server is needed. */
async function joinHere(rt: Needs, user: UserId, roomId: RoomId, wording: MembershipDetails): Promise<boolean> {
  if (!(await isResident(rt, roomId))) return false
  // A ban, for example, is known only where the members are.
  if (await isPartial(rt.db.read, roomId)) return false
  rt.limits.take('joinLocal', user)
  rt.limits.take('joinPerRoom', roomId)
  try {
    await change(rt, { roomId, sender: user, target: user, membership: 'join', ...wording })
    return true
  } catch (cause) {
    const isForOthers = cause instanceof MatrixError && FOR_OTHERS.has(cause.code)
    if (!isForOthers) throw cause
    const others = candidates(rt, [...(await joinedServers(rt.db.read, roomId)).keys()])
    if (others.length > 0) return false
    throw new MatrixError('M_FORBIDDEN', cause.message, { cause })
  }
}

/** The refusals after which another server may be able to authorize the join. */
const FOR_OTHERS: ReadonlySet<ErrorCode> = new Set(['M_UNABLE_TO_AUTHORISE_JOIN', 'M_UNABLE_TO_GRANT_JOIN'])

/**
 * Knocks on a room, through other servers where this one is not in it.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3knockroomidoralias
 */
export async function knockAt(rt: Needs, user: UserId, roomId: RoomId, request: JoinRequest = {}): Promise<void> {
  const { via = [], ...wording } = request
  await refuseSuspended(rt, user)
  if (await isResident(rt, roomId)) {
    await requireStanding(rt, roomId, user)
    rt.limits.take('joinLocal', user)
    await change(rt, { roomId, sender: user, target: user, membership: 'knock', ...wording })
    return
  }
  const servers = candidates(rt, via, await serversAround(rt, user, roomId))
  if (servers.length === 0) throw noServers()
  rt.limits.take('joinRemote', user)
  const content = await memberContent(rt.db.read, rt, { target: user, membership: 'knock', ...wording })
  await knockRemote(rt, servers, { roomId, userId: user, membership: 'knock' }, content)
}

/** Invites a user; an invite of another server's user needs that server's signature. */
export async function inviteUser(
  rt: Needs,
  { roomId, sender, target }: Pick<MembershipChange, 'roomId' | 'sender' | 'target'>,
  wording: MembershipDetails = {},
): Promise<void> {
  await requireRoom(rt, roomId, sender)
  await refuseSuspended(rt, sender)
  await refuseInvites(rt, sender)
  rt.limits.take('invitePerIssuer', sender)
  rt.limits.take('invitePerRoom', roomId)
  rt.limits.take('invitePerUser', target)
  await requireStanding(rt, roomId, target)
  if (serverOf(target) === rt.serverName) {
    await change(rt, { roomId, sender, target, membership: 'invite', ...wording })
  } else {
    const content = await memberContent(rt.db.read, rt, { target, membership: 'invite', ...wording })
    await inviteRemote(rt, { roomId, sender, target, content })
  }
}

/** Leaves a room, rejects an invite, or retracts a knock; the room of server notices cannot be left. */
export async function leaveRoom(
  rt: Needs,
  user: UserId,
  roomId: RoomId,
  wording: MembershipDetails = {},
): Promise<void> {
  await refuseLeavingNotices(rt, roomId, user)
  await leave(rt, user, roomId, wording)
}

async function leave(rt: Needs, user: UserId, roomId: RoomId, wording: MembershipDetails): Promise<void> {
  if (await isResident(rt, roomId)) {
    await change(rt, { roomId, sender: user, target: user, membership: 'leave', ...wording })
    rt.typing.stop(roomId, user)
    await forgetLeft(rt, roomId, user)
    return
  }
  const standing = await membershipIn(rt.db.read, roomId, user)
  if (standing?.membership === 'leave') return
  if (standing?.membership !== 'invite' && standing?.membership !== 'knock') {
    throw new MatrixError('M_UNKNOWN', 'Not a known room', { status: 404 })
  }
  const servers = candidates(rt, await serversAround(rt, user, roomId))
  const content = await memberContent(rt.db.read, rt, { target: user, membership: 'leave', ...wording })
  await leaveRemote(rt, servers, standing, { request: { roomId, userId: user, membership: 'leave' }, content })
  await forgetLeft(rt, roomId, user)
}

/** Throws `M_CANNOT_LEAVE_SERVER_NOTICE_ROOM` for a user whose room for server notices this is. */
export async function refuseLeavingNotices(
  rt: Pick<Runtime, 'db' | 'config' | 'serverName'>,
  roomId: RoomId,
  user: UserId,
): Promise<void> {
  const settings = rt.config.serverNotices
  if (!settings) return
  const sender = `@${settings.localpart}:${rt.serverName}`
  const room = user === sender ? undefined : await roomById(rt.db.read, roomId)
  const create = room && (await loadStateEvent(rt.db.read, room.stateRoot, 'm.room.create'))
  if (create?.sender !== sender) return
  throw new MatrixError('M_CANNOT_LEAVE_SERVER_NOTICE_ROOM', 'you cannot leave the room of server notices')
}

/**
 * Kicks, bans or unbans a user. Kicks and unbans are both a `leave`; they differ in the required current membership. A kick
 * or ban with `redactsEvents` redacts the user's events in the room where the sender may redact them.
 */
export async function moderateMember(
  rt: Needs,
  order: { readonly kind: 'kick' | 'ban' | 'unban'; readonly redactsEvents?: boolean } & Pick<
    MembershipChange,
    'roomId' | 'sender' | 'target'
  >,
  details: MembershipDetails = {},
): Promise<void> {
  const { kind, roomId, sender, target, redactsEvents = false } = order
  const wording = redactsEvents ? { ...details, extra: { ...details.extra, [REDACT_EVENTS]: true } } : details
  await requireRoom(rt, roomId, sender)
  await refuseSuspended(rt, sender)
  await requireStanding(rt, roomId, target)
  const standing = await membershipIn(rt.db.read, roomId, target)
  if (kind === 'unban' && standing?.membership !== 'ban') {
    const membership = standing?.membership ?? 'leave'
    throw new MatrixError('M_BAD_STATE', `Cannot unban user who was not banned (membership=${membership})`)
  }
  if (kind === 'kick' && !['join', 'invite', 'knock'].includes(standing?.membership ?? 'leave')) {
    throw new MatrixError('M_FORBIDDEN', 'The target user is not in the room')
  }
  const id = await change(rt, { roomId, sender, target, membership: kind === 'ban' ? 'ban' : 'leave', ...wording })
  rt.typing.stop(roomId, target)
  if (kind !== 'unban') await forgetLeft(rt, roomId, target)
  if (redactsEvents)
    await finishRemovals(
      rt,
      [await eventById(rt.db.read, id)].flatMap((event) => event?.pdu ?? []),
    )
}

/** Forgets a room that a local user has left where the server is set to do so. */
async function forgetLeft(rt: Needs, roomId: RoomId, user: UserId): Promise<void> {
  if (!rt.config.rooms.forgetsOnLeave || serverOf(user) !== rt.serverName) return
  await rt.db.write((tx) => forgetRoom(tx, roomId, user))
}

/** Forgets a room that the user has left, until they join again; `M_UNKNOWN` while they are in it. */
export async function forget(rt: Pick<Runtime, 'db'>, user: UserId, roomId: RoomId): Promise<void> {
  const standing = await membershipIn(rt.db.read, roomId, user)
  if (standing && ['join', 'invite', 'knock'].includes(standing.membership)) {
    throw new MatrixError('M_UNKNOWN', 'leave the room first', { status: 400 })
  }
  await rt.db.write((tx) => forgetRoom(tx, roomId, user))
}

/** Leaves every room when an account is deactivated; rooms that refuse the leave are skipped. */
export async function leaveEveryRoom(rt: Needs, user: UserId): Promise<void> {
  for (const { roomId, membership } of await membershipsOf(rt.db.read, user)) {
    if (!['join', 'invite', 'knock'].includes(membership)) continue
    try {
      await leave(rt, user, roomId, {})
    } catch (cause) {
      if (!(cause instanceof MatrixError)) throw cause
    }
  }
}

/** Sends the user's new display name and avatar to every room they are in. */
export async function announceProfile(rt: Needs, user: UserId): Promise<void> {
  for (const { roomId, membership } of await membershipsOf(rt.db.read, user)) {
    if (membership !== 'join') continue
    try {
      await change(rt, { roomId, sender: user, target: user, membership: 'join' })
    } catch (cause) {
      if (!(cause instanceof MatrixError)) throw cause
    }
  }
}

async function requireRoom(rt: Needs, roomId: RoomId, user: UserId): Promise<void> {
  if (!(await isResident(rt, roomId))) throw new MatrixError('M_FORBIDDEN', notInRoomText(user))
}

function noServers(): MatrixError {
  const message = "Can't join remote room because no servers that are in the room have been provided."
  return new MatrixError('M_UNKNOWN', message, { status: 404 })
}

/** Waits until a user's membership is known: in a partially joined room a missing membership proves nothing. */
async function requireStanding(rt: Needs, roomId: RoomId, user: UserId): Promise<void> {
  if (!(await membershipIn(rt.db.read, roomId, user))) await requireFullState(rt, roomId)
}

async function change(rt: Needs, order: MembershipChange): Promise<EventId> {
  return writeEvents(rt, (tx, maker) => changeMembership(tx, maker, order))
}
