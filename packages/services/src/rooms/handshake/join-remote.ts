// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { federationPath } from '@myelin/remote/federation'
import { roomById } from '@myelin/storage/rooms/rooms'
import type { Runtime } from '../../runtime/runtime.ts'
import { requireAskable } from '../../peers/ask-server.ts'
import type { EventMaker } from '../event-draft.ts'
import type { Checker } from '../intake/check-incoming.ts'
import type { Source } from '../intake/fetch-events.ts'
import { awaitFirstTry } from '../../room-state/await-whole.ts'
import { importRoom } from './import-room.ts'
import { startPendingJoin } from './pending-join.ts'
import { extremitiesUnknownTo, requireJoined } from './unknown-extremities.ts'
import { takeJoinAnswer } from './read-join-answer.ts'
import type { ShownRoom } from './read-join-answer.ts'
import { isResident } from '../../room-state/servers-around.ts'
import { askTemplate, eventFrom } from './template.ts'
import type { Wish } from './template.ts'
import { tryServers } from './try-servers.ts'

/** What joining through another server takes of the runtime. */
export type Joiner = EventMaker & Checker & Pick<Runtime, 'db' | 'bus'>

/**
 * Lets our user into a room through the first of these servers that makes it possible; the room is ours to use when
 * this returns. Of a large room most members may still be unknown then; they are fetched beside the requests.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#joining-rooms
 */
export async function joinRemote(
  rt: Joiner,
  servers: readonly ServerName[],
  wish: Wish & { readonly membership: 'join' },
  content: JsonObject,
): Promise<void> {
  await tryServers(rt, servers, (server) => joinThrough(rt, server, wish, content))
  await awaitFirstTry(rt, wish.roomId)
}

async function joinThrough(rt: Joiner, server: ServerName, wish: Wish, content: JsonObject): Promise<void> {
  const template = await askTemplate(rt, server, wish)
  const sent = eventFrom(rt, template, wish, content)
  requireAskable(rt, server)
  const context = { roomId: wish.roomId, version: template.version }
  const underWay = await startPendingJoin(rt, context)
  try {
    const shown = await sendJoin(rt, { ...context, server }, sent)
    // Where we are in the room nothing begins anew.
    const heads = (await isResident(rt, wish.roomId))
      ? []
      : await extremitiesUnknownTo(rt, { ...context, server }, shown)
    await importRoom(rt, context, { ...shown, heads }, underWay.entered)
    if (heads.length > 0) await requireJoined(rt, wish)
  } catch (cause) {
    await rt.db.write(underWay.failed)
    throw cause
  }
}

async function sendJoin(rt: Joiner, source: Source, sent: Pdu): Promise<ShownRoom> {
  const omits = (await knowsFromBefore(rt, sent.roomId)) ? {} : { omit_members: 'true' }
  const target = federationPath(['federation', 'v2', 'send_join', sent.roomId, sent.id], omits)
  return takeJoinAnswer(rt, source, sent, { method: 'PUT', target, body: sent.json })
}

/**
 * Whether we were in a room and are not any more. Such a room is shown to us whole: most of its members we know, and what
 * we knew of it meets what it is now without anything provisional between.
 */
async function knowsFromBefore(rt: Joiner, roomId: RoomId): Promise<boolean> {
  const room = await roomById(rt.db.read, roomId)
  return room !== undefined && room.stateRoot !== 0 && !(await isResident(rt, roomId))
}
