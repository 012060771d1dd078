// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { buildPdu } from '@myelin/rules/events/build-pdu'
import { roomVersion } from '@myelin/rules/room-versions'
import { publicForeignRoom } from '../foreign-room.ts'
import type { ForeignRoom } from '../foreign-room.ts'
import { HttpConnection } from '../clients/http-connection.ts'
import type { Target } from '../processes/target.ts'
import type { TlsServers } from './tls-servers.ts'

/** Returns the user ID of member `number`; a number is always on the same server. */
export function memberId(servers: TlsServers, number: number): string {
  return `@u${number}:${servers.name(number)}`
}

/** Creates a public room of the first server; its members are spread over all servers. */
export function hostedRoom(servers: TlsServers, members: number): ForeignRoom {
  const version = roomVersion('12')
  if (!version) throw new Error('room version 12 is not known')
  const room = publicForeignRoom(version, `@host:${servers.name(0)}`, servers.keyOf, Date.now() - 3_600_000)
  for (let at = 0; at < members; at++) {
    const user = memberId(servers, at)
    room.append({ sender: user, type: 'm.room.member', stateKey: user, content: { membership: 'join' } })
  }
  servers.rooms.set(room.roomId, room)
  return room
}

/** Lets a user of a fake server join a room of the server under test. */
export async function joinTargetRoom(
  servers: TlsServers,
  target: Target,
  roomId: string,
  number: number,
): Promise<void> {
  const [origin, user] = [servers.name(number), memberId(servers, number)]
  const destination = target.own?.serverName ?? 'localhost'
  const connection = new HttpConnection(target.url)
  const call = async (method: string, uri: string, content?: JsonObject): Promise<JsonObject> => {
    const request = { destination, method, uri, ...(content ? { content } : {}) }
    const text = content && JSON.stringify(content)
    const { status, body } = await connection.request(method, uri, servers.authorization(origin, request), text)
    if (status !== 200) throw new Error(`${method} ${uri}: ${status} ${body.slice(0, 300)}`)
    return JSON.parse(body) as JsonObject
  }
  const [room, own] = [encodeURIComponent(roomId), encodeURIComponent(user)]
  const template = await call('GET', `/_matrix/federation/v1/make_join/${room}/${own}?ver=12`)
  const event = template['event'] as {
    prev_events: EventId[]
    auth_events: EventId[]
    depth: number
    content: JsonObject
  }
  const version = roomVersion((template as { room_version?: string }).room_version ?? '')
  if (!version) throw new Error('unknown room version')
  const draft = {
    roomId: roomId as RoomId,
    sender: user as UserId,
    type: 'm.room.member',
    stateKey: user,
    content: event.content,
    prevEvents: event.prev_events,
    authEvents: event.auth_events,
    depth: event.depth,
    originServerTs: Date.now(),
  }
  const pdu = buildPdu(draft, version, { serverName: origin, key: servers.keyOf(origin) })
  const path = `/_matrix/federation/v2/send_join/${room}/${encodeURIComponent(pdu.id)}?omit_members=true`
  await call('PUT', path, pdu.json)
  connection.close()
}
