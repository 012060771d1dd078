// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { EventId, RoomAlias, RoomId, UserId } from '@myelin/matrix/ids'
import { member, stringMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { creatorsOf } from '@myelin/rules/auth/auth-state'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { aliasesOf, moveAliases } from '@myelin/storage/rooms/aliases'
import type { Tx } from '@myelin/storage/engine/database'
import { openRoom, publishRoom } from '@myelin/storage/rooms/rooms'
import type { OpenRoom } from '@myelin/storage/rooms/rooms'
import { refuseSuspended } from '../../standing/suspension.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { newRoomId, putCreateEvent } from '../drafts/create-event.ts'
import type { EventMaker } from '../drafts/event-draft.ts'
import { extendRoom } from '../append/extend-room.ts'
import { loadStateEvent } from '../../room-state/load-auth-state.ts'
import { changeMembership } from '../append/members-change.ts'
import { isNeed } from '../resolution/unit-needs.ts'
import type { UnitNeed } from '../resolution/unit-needs.ts'
import type { PolicyServerNeeds } from '../append/policy-server.ts'
import { writeEvents } from '../append/write-events.ts'
import { roomVersionOf } from '../../room-state/versions.ts'
import { carryOverUserData } from './carry-over-user-data.ts'
import { copiedState, restrictedLevels } from './copied-state.ts'
import { copyChildrenAndBans } from './children-and-bans.ts'

type Needs = EventMaker & PolicyServerNeeds & Pick<Runtime, 'log'>

/** The room to replace, the new version, and the additional creators. */
export interface Upgrade {
  readonly roomId: RoomId
  readonly sender: UserId
  readonly version: RoomVersion
  readonly additionalCreators: readonly UserId[]
}

/**
 * Replaces a room by one of another version and returns the new room's ID. The new room is made, filled, named and
 * listed like the old one, and the tombstone is sent, all in one unit of work. Children of spaces and bans are copied
 * afterwards, as far as the user may.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidupgrade
 */
export async function upgradeRoom(
  rt: Needs,
  request: Omit<Upgrade, 'version' | 'additionalCreators'> & { readonly newVersion: string },
  additionalCreators: readonly UserId[],
): Promise<RoomId> {
  const upgrade: Upgrade = { ...request, version: roomVersionOf(request.newVersion), additionalCreators }
  await refuseSuspended(rt, request.sender)
  rt.limits.take('roomCreation', request.sender)
  // With a policy server the write transaction runs again, and must create the same room.
  const now = rt.clock.now()
  const clock: EventMaker['clock'] = { now: () => now, later: (delayMs, task) => rt.clock.later(delayMs, task) }
  const chosen = upgrade.version.roomIds === 'chosen by server' ? newRoomId(rt) : undefined
  const replacement = await writeEvents(rt, (tx, maker) => replaceRoom(tx, { ...maker, clock }, upgrade, chosen))
  await copyChildrenAndBans(rt, upgrade, replacement)
  await carryOverUserData(rt, request.sender, replacement)
  return replacement
}

async function replaceRoom(
  tx: Tx,
  rt: EventMaker,
  upgrade: Upgrade,
  chosen: RoomId | undefined,
): Promise<RoomId | UnitNeed> {
  const { roomId, sender, version } = upgrade
  const old = await opened(tx, roomId)
  const create = await loadStateEvent(tx, old.stateRoot, 'm.room.create')
  if (!create) throw new Error('the room has no create event')
  const from = roomVersionOf(old.roomVersion)
  // A chosen room ID is known before the room exists, so the new room can name the tombstone event.
  const tombstone = chosen && (await putTombstone(tx, rt, upgrade, chosen))
  if (isNeed(tombstone)) return tombstone
  const creators = version.auth.creatorsOutrankEveryone ? upgrade.additionalCreators : []
  const content = creationContent(create.content, { roomId, tombstone, creators })
  const replacement = await putCreateEvent(tx, rt, {
    version,
    creator: sender,
    content,
    ...(chosen === undefined ? {} : { roomId: chosen }),
  })
  const buried = chosen === undefined ? await putTombstone(tx, rt, upgrade, replacement) : undefined
  if (isNeed(buried)) return buried
  const joined = await changeMembership(tx, rt, { roomId: replacement, sender, target: sender, membership: 'join' })
  if (isNeed(joined)) return joined
  const oldCreators = creatorsOf(create, from)
  const standing = { stateRoot: old.stateRoot, from, to: version, oldCreators, creators: [sender, ...creators] }
  const copied = await copiedState(tx, standing)
  const drafts = copied.map((event) => ({ sender, ...event }))
  const levels = drafts.filter(({ type }) => type === 'm.room.power_levels')
  const others = drafts.filter(({ type }) => type !== 'm.room.power_levels')
  // Power levels come last: until then the creator may set all state.
  const need =
    (await putAll(tx, rt, replacement, others)) ??
    (await moveNames(tx, rt, upgrade, replacement)) ??
    (await putAll(tx, rt, replacement, levels)) ??
    (await restrictOldRoom(tx, rt, upgrade))
  return need ?? replacement
}

/**
 * Returns the content of the new create event: the old one without what depends on the version, plus the predecessor.
 */
function creationContent(
  old: JsonObject,
  { roomId, tombstone, creators }: { roomId: RoomId; tombstone: EventId | undefined; creators: readonly UserId[] },
): JsonObject {
  const kept: Record<string, Json> = {}
  for (const name of ['m.federate', 'type']) {
    const value = member(old, name)
    if (value !== undefined) kept[name] = value
  }
  return {
    ...kept,
    predecessor: { room_id: roomId, ...(tombstone === undefined ? {} : { event_id: tombstone }) },
    ...(creators.length === 0 ? {} : { additional_creators: [...new Set(creators)] }),
  }
}

async function putTombstone(
  tx: Tx,
  rt: EventMaker,
  { roomId, sender }: Upgrade,
  replacement: RoomId,
): Promise<EventId | UnitNeed> {
  const content = { body: 'This room has been replaced', replacement_room: replacement }
  return put(tx, rt, roomId, { sender, type: 'm.room.tombstone', stateKey: '', content })
}

/** Moves this server's aliases, the canonical alias and the directory entry to the new room. */
async function moveNames(
  tx: Tx,
  rt: EventMaker,
  { roomId, sender }: Upgrade,
  replacement: RoomId,
): Promise<UnitNeed | undefined> {
  if ((await opened(tx, roomId)).isPublished) {
    await publishRoom(tx, roomId, false)
    await publishRoom(tx, replacement, true)
  }
  const moved = new Set<Json>(await aliasesOf(tx, roomId))
  if (moved.size === 0) return undefined
  await moveAliases(tx, roomId, replacement)
  const type = 'm.room.canonical_alias'
  const old = await opened(tx, roomId)
  const canonical = await loadStateEvent(tx, old.stateRoot, type)
  const named = canonical && splitNames(canonical.content, moved)
  if (!named) return undefined
  const put = await putAll(tx, rt, replacement, [{ sender, type, stateKey: '', content: named.moved }])
  return put ?? tryPut(tx, rt, roomId, { sender, type, stateKey: '', content: named.left })
}

/**
 * Splits a canonical alias event into the aliases that moved and those of other servers, which did not; undefined
 * where none moved.
 */
function splitNames(
  content: JsonObject,
  moved: ReadonlySet<Json>,
): { moved: JsonObject; left: JsonObject } | undefined {
  const main = stringMember(content, 'alias') as RoomAlias | undefined
  const listed = member(content, 'alt_aliases')
  const others = Array.isArray(listed) ? (listed as readonly Json[]) : []
  const part = (isWanted: (name: Json) => boolean): JsonObject => {
    const alternatives = others.filter(isWanted)
    return {
      ...(main !== undefined && isWanted(main) ? { alias: main } : {}),
      ...(alternatives.length > 0 ? { alt_aliases: alternatives } : {}),
    }
  }
  const taken = part((name) => moved.has(name))
  return Object.keys(taken).length === 0 ? undefined : { moved: taken, left: part((name) => !moved.has(name)) }
}

/** Restricts the old room's power levels, where the user may change them. */
async function restrictOldRoom(tx: Tx, rt: EventMaker, { roomId, sender }: Upgrade): Promise<UnitNeed | undefined> {
  const old = await opened(tx, roomId)
  const type = 'm.room.power_levels'
  const levels = await loadStateEvent(tx, old.stateRoot, type)
  const content = restrictedLevels(levels?.content ?? {})
  return content && tryPut(tx, rt, roomId, { sender, type, stateKey: '', content })
}

type Draft = {
  readonly sender: UserId
  readonly type: string
  readonly stateKey: string
  readonly content: JsonObject
}

async function put(tx: Tx, rt: EventMaker, roomId: RoomId, draft: Draft): Promise<EventId | UnitNeed> {
  const extended = await extendRoom(tx, rt, await opened(tx, roomId), { roomId, ...draft })
  return isNeed(extended) ? extended : extended.event.id
}

/** Appends events to a room, up to the first that has a need; returns that need. */
async function putAll(tx: Tx, rt: EventMaker, roomId: RoomId, drafts: readonly Draft[]): Promise<UnitNeed | undefined> {
  for (const draft of drafts) {
    const made = await put(tx, rt, roomId, draft)
    if (isNeed(made)) return made
  }
  return undefined
}

/** Appends an event unless the rules refuse it, in which case nothing is written. */
async function tryPut(tx: Tx, rt: EventMaker, roomId: RoomId, draft: Draft): Promise<UnitNeed | undefined> {
  try {
    return await putAll(tx, rt, roomId, [draft])
  } catch (cause) {
    if (!(cause instanceof MatrixError) || cause.code !== 'M_FORBIDDEN') throw cause
    return undefined
  }
}

async function opened(tx: Tx, roomId: RoomId): Promise<OpenRoom> {
  const room = await openRoom(tx, roomId)
  if (!room) throw new MatrixError('M_FORBIDDEN', 'you are not in this room')
  return room
}
