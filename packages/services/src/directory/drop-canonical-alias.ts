// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomAlias, RoomId, UserId } from '@myelin/matrix/ids'
import { member } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { roomById } from '@myelin/storage/rooms/rooms'
import { loadStateEvent } from '../room-state/load-auth-state.ts'
import { sendEvent } from '../rooms/send-event.ts'

type Needs = Parameters<typeof sendEvent>[0]

/** Removes a deleted alias from the room's canonical alias event, if that names it and the user may. */
export async function dropCanonicalAlias(
  rt: Needs,
  { roomId, sender, alias }: { readonly roomId: RoomId; readonly sender: UserId; readonly alias: RoomAlias },
): Promise<void> {
  const room = await roomById(rt.db.read, roomId)
  const type = 'm.room.canonical_alias'
  const current = room && (await loadStateEvent(rt.db.read, room.stateRoot, type))
  const content = current && contentWithout(current.content, alias)
  if (!content) return
  try {
    await sendEvent(rt, { roomId, sender, type, stateKey: '', content })
  } catch (cause) {
    // The alias stays deleted, as the spec requires.
    if (!(cause instanceof MatrixError)) throw cause
  }
}

/** Returns the content without the alias; undefined where it does not name the alias. */
function contentWithout(content: JsonObject, alias: RoomAlias): JsonObject | undefined {
  const [main, others] = [member(content, 'alias'), member(content, 'alt_aliases')]
  const isMain = main === alias
  const isOther = Array.isArray(others) && others.includes(alias)
  if (!isMain && !isOther) return undefined
  const left: Record<string, Json> = { ...content }
  if (isMain) delete left['alias']
  if (isOther) left['alt_aliases'] = (others as readonly Json[]).filter((each) => each !== alias)
  return left
}
