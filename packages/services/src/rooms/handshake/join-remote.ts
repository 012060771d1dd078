// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { federationPath } from '@myelin/remote/federation'
import { roomById } from '@myelin/storage/rooms/rooms'
import type { Runtime } from '../../runtime/runtime.ts'
import { requireFederation } from '../../peers/ask-server.ts'
import type { EventMaker } from '../drafts/event-draft.ts'
import type { Checker } from '../intake/check-incoming.ts'
import type { Source } from '../intake/fetch-events.ts'
import { awaitFirstCompletion } from '../../room-state/await-whole.ts'
import { importRoom } from './import-room.ts'
import { startPendingJoin } from './pending-join.ts'
import { extremitiesUnknownTo, requireJoined } from './unknown-extremities.ts'
import { readJoinAnswer } from './read-join-answer.ts'
import type { ShownRoom } from './read-join-answer.ts'
import { isResident } from '../../room-state/servers-around.ts'
import { askTemplate, eventFrom } from './template.ts'
import type { MembershipRequest } from './template.ts'
import { tryServers } from './try-servers.ts'

/** The part of the runtime that joining through another server takes. */
export type Joiner = EventMaker & Checker & Pick<Runtime, 'db' | 'bus'>

/**
 * Joins a local user to a room through the first of these servers that makes it possible. The room is usable on
 * return. In a partial join most members of a large room are fetched later, in the background.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#joining-rooms
 */
export async function joinRemote(
  rt: Joiner,
  servers: readonly ServerName[],
  request: MembershipRequest & { readonly membership: 'join' },
  content: JsonObject,
): Promise<void> {
  await tryServers(rt, servers, (server) => joinThrough(rt, server, request, content))
  await awaitFirstCompletion(rt, request.roomId)
}

async function joinThrough(
  rt: Joiner,
  server: ServerName,
  request: MembershipRequest,
  content: JsonObject,
): Promise<void> {
  const template = await askTemplate(rt, server, request)
  const sent = eventFrom(rt, template, request, content)
  requireFederation(rt, server)
  const context = { roomId: request.roomId, version: template.version }
  const underWay = await startPendingJoin(rt, context)
  try {
    const shown = await sendJoin(rt, { ...context, server }, sent)
    // A server that is in the room already keeps its graph.
    const extremities = (await isResident(rt, request.roomId))
      ? []
      : await extremitiesUnknownTo(rt, { ...context, server }, shown)
    await importRoom(rt, context, { ...shown, extremities }, underWay.entered)
    if (extremities.length > 0) await requireJoined(rt, request)
  } catch (cause) {
    await rt.db.write(underWay.failed)
    throw cause
  }
}

async function sendJoin(rt: Joiner, source: Source, sent: Pdu): Promise<ShownRoom> {
  const omits = (await knowsFromBefore(rt, sent.roomId)) ? {} : { omit_members: 'true' }
  const target = federationPath(['federation', 'v2', 'send_join', sent.roomId, sent.id], omits)
  return readJoinAnswer(rt, source, sent, { method: 'PUT', target, body: sent.json })
}

/**
 * Returns whether this server was in the room earlier and left it. Such a room is joined with its full state, because
 * most of its members are known, and the earlier state and the present one merge without anything provisional between.
 */
async function knowsFromBefore(rt: Joiner, roomId: RoomId): Promise<boolean> {
  const room = await roomById(rt.db.read, roomId)
  return room !== undefined && room.stateRoot !== 0 && !(await isResident(rt, roomId))
}
