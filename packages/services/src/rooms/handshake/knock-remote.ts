// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { ServerName } from '@myelin/matrix/ids'
import { member } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { federationPath } from '@myelin/remote/federation'
import { askServer } from '../../peers/ask-server.ts'
import { shownRoomState } from './shown-room-state.ts'
import type { RoomContext } from '../../room-state/room-context.ts'
import { stripped } from '../../room-state/stripped-state.ts'
import type { Joiner } from './join-remote.ts'
import { recordOutside } from './outside-room.ts'
import { askTemplate, eventFrom } from './template.ts'
import type { MembershipRequest } from './template.ts'
import { tryServers } from './try-servers.ts'

/**
 * Knocks on a room that this server is not in, through the first of these servers that accepts the knock.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#knocking-upon-a-room
 */
export async function knockRemote(
  rt: Joiner,
  servers: readonly ServerName[],
  request: MembershipRequest & { readonly membership: 'knock' },
  content: JsonObject,
): Promise<void> {
  await tryServers(rt, servers, async (server) => {
    const template = await askTemplate(rt, server, request)
    const event = eventFrom(rt, template, request, content)
    const target = federationPath(['federation', 'v1', 'send_knock', request.roomId, event.id])
    const answer = await askServer(rt, server, { method: 'PUT', target, body: event.json, keepNumbers: true })
    const room = { roomId: request.roomId, version: template.version }
    const shown = JSON.stringify([...(await shownOf(rt, room, answer)), stripped(event)])
    await rt.db.write((tx) => recordOutside(tx, rt, room, { event, shown }))
  })
}

/**
 * Returns the stripped state of the room. The knock was sent already, so state that does not verify is dropped instead
 * of refused.
 */
async function shownOf(rt: Joiner, room: RoomContext, answer: JsonObject): Promise<JsonObject[]> {
  try {
    return await shownRoomState(rt, room, member(answer, 'knock_room_state'))
  } catch (cause) {
    if (!(cause instanceof MatrixError)) throw cause
    return []
  }
}
