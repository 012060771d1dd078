// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isRoomAlias } from '@myelin/matrix/ids'
import type { RoomAlias, RoomId } from '@myelin/matrix/ids'
import { member } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { RemoteError } from '@myelin/remote/remote-error'
import { aliasTarget } from '@myelin/storage/rooms/aliases'
import type { Read } from '@myelin/storage/engine/database'
import { membershipIn } from '@myelin/storage/rooms/members/members'
import { roomById } from '@myelin/storage/rooms/rooms'
import type { OpenRoom } from '@myelin/storage/rooms/rooms'
import { askAlias } from '../../peers/alias.ts'
import type { Asker } from '../../peers/ask-server.ts'
import { fanOut } from '../../peers/fan-out.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { EventDraft } from './event-draft.ts'
import { notInRoomText } from './refusal.ts'
import { loadStateEvent } from '../../room-state/load-auth-state.ts'

type Needs = Asker & Pick<Runtime, 'db' | 'limits'>

/** The most aliases of other servers that one event may add. */
const MAX_ASKED = 20
const AT_ONCE = 4

/**
 * Returns the rooms of the aliases of other servers that a canonical alias event adds, as those servers resolve them.
 * Aliases of rooms unknown here are left out.
 *
 * Throws `M_FORBIDDEN` before any request where the sender is not in the room.
 */
export function askCanonicalAliases(rt: Needs, draft: EventDraft): Promise<Targets> {
  return draft.type === 'm.room.canonical_alias' && draft.stateKey === '' ? askForTargets(rt, draft) : noTargets
}

type Targets = ReadonlyMap<RoomAlias, RoomId>
// Shared, because every send awaits it.
const noTargets: Promise<Targets> = Promise.resolve(new Map())

async function askForTargets(rt: Needs, { roomId, sender, content }: EventDraft): Promise<Targets> {
  const targets = new Map<RoomAlias, RoomId>()
  const db = rt.db.read
  if ((await membershipIn(db, roomId, sender))?.membership !== 'join') {
    throw new MatrixError('M_FORBIDDEN', notInRoomText(sender))
  }
  const added = await addedAliases(db, (await roomById(db, roomId))?.stateRoot ?? 0, content)
  const elsewhere = new Set(added.filter((alias) => isRoomAlias(alias) && !alias.endsWith(`:${rt.serverName}`)))
  await fanOut([...elsewhere].slice(0, MAX_ASKED) as RoomAlias[], AT_ONCE, async (alias) => {
    try {
      targets.set(alias, (await rt.limits.lookUp(sender, () => askAlias(rt, alias))).roomId)
    } catch (cause) {
      if (!(cause instanceof RemoteError)) throw cause
    }
  })
  return targets
}

/**
 * Checks the aliases that a canonical alias event adds: they must be valid (`M_INVALID_PARAM`) and name this room
 * (`M_BAD_ALIAS`). `targets` has the rooms of aliases of other servers, resolved before.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#mroomcanonical_alias
 */
export async function checkAliases(
  db: Read,
  room: OpenRoom,
  content: JsonObject,
  elsewhere: ReadonlyMap<RoomAlias, RoomId>,
): Promise<void> {
  for (const alias of await addedAliases(db, room.stateRoot, content)) {
    if (typeof alias !== 'string' || !isRoomAlias(alias)) throw new MatrixError('M_INVALID_PARAM', 'invalid room alias')
    const named = elsewhere.get(alias) ?? (await aliasTarget(db, alias))?.roomId
    if (named !== room.id) throw new MatrixError('M_BAD_ALIAS', `${alias} does not name this room`)
  }
}

async function addedAliases(db: Read, stateRoot: number, content: JsonObject): Promise<unknown[]> {
  const current = await loadStateEvent(db, stateRoot, 'm.room.canonical_alias')
  const known = new Set(current ? aliasesIn(current.content) : [])
  return aliasesIn(content).filter((alias) => !known.has(alias))
}

function aliasesIn(content: JsonObject): unknown[] {
  const [main, others] = [member(content, 'alias'), member(content, 'alt_aliases')]
  if (others !== undefined && !Array.isArray(others)) throw new MatrixError('M_BAD_JSON', 'alt_aliases must be a list')
  const list = Array.isArray(others) ? [...(others as readonly unknown[])] : []
  return main === undefined || main === null || main === '' ? list : [main, ...list]
}
