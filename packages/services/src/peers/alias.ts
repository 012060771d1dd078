// SPDX-License-Identifier: Apache-2.0
import { isRoomId, isServerName } from '@myelin/matrix/ids'
import type { RoomAlias, RoomId, ServerName } from '@myelin/matrix/ids'
import { member } from '@myelin/matrix/json'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import { askServer } from './ask-server.ts'
import type { Asker } from './ask-server.ts'

const MAX_SERVERS = 100

/** Returns the room that an alias of another server names, with resident servers, as that server answers. */
export async function askAlias(
  rt: Asker,
  alias: RoomAlias,
): Promise<{ readonly roomId: RoomId; readonly servers: readonly ServerName[] }> {
  const server = alias.slice(alias.indexOf(':') + 1) as ServerName
  const target = federationPath(['federation', 'v1', 'query', 'directory'], { room_alias: alias })
  const answer = await askServer(rt, server, { method: 'GET', target })
  const roomId = member(answer, 'room_id')
  if (!isRoomId(roomId)) {
    const fault = new RemoteError('malformed', `${server} sent no room ID for the alias`)
    rt.remote.reportFailure(server, fault)
    throw fault
  }
  const listed = member(answer, 'servers')
  const servers = (Array.isArray(listed) ? listed : []).filter(isServerName)
  // A server that resolves the alias is most likely in the room.
  return { roomId, servers: [...new Set([...servers.slice(0, MAX_SERVERS), server])] }
}
