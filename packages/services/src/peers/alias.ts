// SPDX-License-Identifier: Apache-2.0
import { isRoomId, isServerName } from '@myelin/matrix/ids'
import type { RoomAlias, RoomId, ServerName } from '@myelin/matrix/ids'
import { member } from '@myelin/matrix/json'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import { askServer } from './ask-server.ts'
import type { Asker } from './ask-server.ts'

const MOST_SERVERS = 100

/** The room an alias of another server names, and servers through which it can be joined, as that server says. */
export async function askAlias(
  rt: Asker,
  alias: RoomAlias,
): Promise<{ readonly roomId: RoomId; readonly servers: readonly ServerName[] }> {
  const server = alias.slice(alias.indexOf(':') + 1) as ServerName
  const target = federationPath(['federation', 'v1', 'query', 'directory'], { room_alias: alias })
  const answer = await askServer(rt, server, { method: 'GET', target })
  const roomId = member(answer, 'room_id')
  if (!isRoomId(roomId)) throw new RemoteError('malformed', `${server} named no room`)
  const listed = member(answer, 'servers')
  const servers = (Array.isArray(listed) ? listed : []).filter(isServerName)
  // It knows the room, so it most likely is in it.
  return { roomId, servers: [...new Set([...servers.slice(0, MOST_SERVERS), server])] }
}
