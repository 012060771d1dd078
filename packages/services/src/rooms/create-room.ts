// SPDX-License-Identifier: Apache-2.0
import { forEachInTurns } from '@myelin/kit/turn'
import { MatrixError } from '@myelin/matrix/errors'
import { isRoomAlias, isUserId, serverOf } from '@myelin/matrix/ids'
import type { RoomAlias, RoomId, UserId } from '@myelin/matrix/ids'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { RoomVersion } from '@myelin/rules/room-versions'
import type { Tx } from '@myelin/storage/engine/database'
import { putOwedInvites } from '@myelin/storage/rooms/owed-invites'
import { openRoom, publishRoom } from '@myelin/storage/rooms/rooms'
import { refuseInvites } from '../standing/may-invite.ts'
import { isAllowedBy } from '../room-state/directory-rules.ts'
import { refuseSuspended } from '../standing/suspension.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { addAlias } from './add-alias.ts'
import { checkAliases } from './drafts/canonical-alias.ts'
import { checkContent } from './drafts/check-content.ts'
import { newRoomId, putCreateEvent } from './drafts/create-event.ts'
import type { EventMaker } from './drafts/event-draft.ts'
import { extendRoom } from './append/extend-room.ts'
import type { Joiner } from './handshake/join-remote.ts'
import { initialEvents } from './drafts/initial-events.ts'
import type { InitialEvent, RoomCreationRequest } from './drafts/initial-events.ts'
import { changeMembership } from './append/members-change.ts'
import { INVITES_A_UNIT, inviteAll, invitesOwed, sendOwedInvites } from './owed-invites.ts'
import { isNeed } from './resolution/unit-needs.ts'
import type { UnitNeed } from './resolution/unit-needs.ts'
import { writeEvents } from './append/write-events.ts'
import { roomVersionOf } from '../room-state/versions.ts'

type Needs = EventMaker & Joiner & Pick<Runtime, 'db' | 'limits' | 'config' | 'log'>

// The estimated cost of checking an event.
const CHECK_COST_US = 5

/**
 * Creates a room with its first events, in the spec's order, in one unit of work, and returns its ID. The first local users are
 * invited in that unit, so that a refusal leaves no room behind. Invites of further ones and of remote users are owed: they are
 * sent before this returns, or by another node where this one dies.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3createroom
 */
export async function createRoom(rt: Needs, creator: UserId, request: RoomCreationRequest): Promise<RoomId> {
  const version = roomVersionOf(request.roomVersion ?? rt.config.rooms.defaultVersion)
  const alias = aliasFor(rt, request)
  for (const each of request.invite) checkInvited(each)
  await refuseSuspended(rt, creator)
  if (request.invite.length > 0 && !request.isOfServer) await refuseInvites(rt, creator)
  if (!request.isOfServer) rt.limits.take('roomCreation', creator)
  // A room may name a policy server from its beginning. Then the unit runs again, and must make the same room.
  const now = rt.clock.now()
  const clock: EventMaker['clock'] = { now: () => now, later: (delayMs, task) => rt.clock.later(delayMs, task) }
  const content = creationContent(request, version)
  const chosen = version.roomIds === 'chosen by server' ? { roomId: newRoomId(rt) } : {}
  const events = initialEvents(request, { version, creator, alias, settings: rt.config.rooms })
  const invited = [...new Set(request.invite)].filter((each) => each !== creator)
  const first = invited.filter((each) => serverOf(each) === rt.serverName).slice(0, INVITES_A_UNIT)
  const later = invited.filter((each) => !first.includes(each))
  const invites = { sender: creator, isDirect: request.isDirect }
  await forEachInTurns(events, CHECK_COST_US, (event) => checkContent(rt.serverName, event))
  const made = await writeEvents(rt, async (tx, petitioner) => {
    const maker = { ...petitioner, clock }
    const roomId = await putCreateEvent(tx, maker, { version, creator, content, ...chosen })
    const joined = await changeMembership(tx, maker, { roomId, sender: creator, target: creator, membership: 'join' })
    if (isNeed(joined)) return joined
    if (alias !== undefined && !(await addAlias(tx, { alias, roomId, creator }, rt.clock.now()))) {
      throw new MatrixError('M_ROOM_IN_USE', `${alias} is taken`)
    }
    for (const event of events) {
      const need = await putInitial(tx, maker, { roomId, creator, event })
      if (need) return need
    }
    const aliases = alias === undefined ? [] : [alias]
    if (
      request.visibility === 'public' &&
      !isAllowedBy(rt.config.rooms.publicationRules, { userId: creator, roomId, aliases })
    )
      throw new MatrixError('M_FORBIDDEN', 'you are not allowed to publish this room')
    if (alias !== undefined && !isAllowedBy(rt.config.rooms.aliasRules, { userId: creator, roomId, aliases }))
      throw new MatrixError('M_FORBIDDEN', 'you are not allowed to create this alias')
    if (request.visibility === 'public') await publishRoom(tx, roomId, true)
    await putOwedInvites(tx, roomId, invitesOwed(rt, { ...invites, roomId, targets: later }))
    return (await inviteAll(tx, maker, { ...invites, roomId, targets: first })) ?? roomId
  })
  await sendOwedInvites(rt, { ...invites, roomId: made, targets: later })
  return made
}

/** Returns the requested creation content, with the invited users as additional creators for a trusted private chat. */
function creationContent(request: RoomCreationRequest, version: RoomVersion): JsonObject {
  const content = request.creationContent
  if (!version.auth.creatorsOutrankEveryone || request.preset !== 'trusted_private_chat') return content
  const named = Array.isArray(content['additional_creators']) ? (content['additional_creators'] as readonly Json[]) : []
  return { ...content, additional_creators: [...new Set([...named, ...request.invite])] }
}

/**
 * Appends an initial state event. A refusal by the creator's own settings is `M_INVALID_ROOM_STATE`, not a missing
 * permission.
 */
async function putInitial(
  tx: Tx,
  rt: EventMaker,
  { roomId, creator, event }: { roomId: RoomId; creator: UserId; event: InitialEvent },
): Promise<UnitNeed | undefined> {
  const room = await openRoom(tx, roomId)
  if (!room) throw new Error('the new room cannot be opened')
  if (event.type === 'm.room.canonical_alias' && event.stateKey === '') {
    // Other servers cannot resolve an alias to a room that does not exist yet.
    await checkAliases(tx, room, event.content, new Map())
  }
  try {
    if (event.type === 'm.room.member')
      throw new MatrixError('M_FORBIDDEN', '`initial_state` must not contain m.room.member events')
    const extended = await extendRoom(tx, rt, room, { roomId, sender: creator, ...event })
    return isNeed(extended) ? extended : undefined
  } catch (cause) {
    if (!(cause instanceof MatrixError) || cause.code !== 'M_FORBIDDEN') throw cause
    throw new MatrixError('M_INVALID_ROOM_STATE', `${event.type}: ${cause.message}`, { cause })
  }
}

function checkInvited(invited: UserId): void {
  if (!isUserId(invited)) throw new MatrixError('M_INVALID_PARAM', '`invite` must contain user IDs')
}

function aliasFor(rt: Needs, { roomAliasName }: RoomCreationRequest): RoomAlias | undefined {
  if (roomAliasName === undefined) return undefined
  const alias = `#${roomAliasName}:${rt.serverName}`
  if (roomAliasName === '' || /[:\s\0]/.test(roomAliasName) || !isRoomAlias(alias)) {
    throw new MatrixError('M_INVALID_PARAM', '`room_alias_name` does not make a valid room alias')
  }
  return alias
}
