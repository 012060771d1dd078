// SPDX-License-Identifier: Apache-2.0
import { isRoomId } from '@myelin/matrix/ids'
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import { isObject, member, objectMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import type { RoomSummary } from '../room-state/room-summary.ts'
import type { SpaceRoom } from '../room-state/space-child.ts'
import { inOrder, spaceChildOf } from '../room-state/space-child.ts'
import { askServer } from './ask-server.ts'
import type { Asker } from './ask-server.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { summaryIn } from './summary.ts'

/** A space from another server's answer. */
export interface RemoteSpace extends SpaceRoom {
  /** The children that the server knows. */
  readonly known: readonly RoomSummary[]
  readonly inaccessible: readonly RoomId[]
}

const KEEP_MS = 300_000
const TIMEOUT_MS = 10_000
const MAX_BYTES = 512 * 1024
const MAX_CHILDREN = 200
const MAX_TRIES = 3

/**
 * Returns a space from the first of some servers that answers; throws a `RemoteError` where none does. Answers are
 * cached for a while; each server that is queried counts for the limit of `payer`, a user or an address.
 */
export async function askHierarchy(
  rt: Asker & Pick<Runtime, 'limits'>,
  payer: string,
  servers: readonly ServerName[],
  asked: { readonly roomId: RoomId; readonly suggestedOnly: boolean },
): Promise<RemoteSpace> {
  let failure = new RemoteError('unreachable', 'no server is known for the space')
  for (const server of servers.filter((each) => each !== rt.serverName).slice(0, MAX_TRIES)) {
    try {
      return await askOne(rt, payer, server, asked)
    } catch (cause) {
      if (!(cause instanceof RemoteError)) throw cause
      rt.remote.reportFailure(server, cause)
      failure = cause
    }
  }
  throw failure
}

async function askOne(
  rt: Asker & Pick<Runtime, 'limits'>,
  payer: string,
  server: ServerName,
  { roomId, suggestedOnly }: { readonly roomId: RoomId; readonly suggestedOnly: boolean },
): Promise<RemoteSpace> {
  const query = { suggested_only: suggestedOnly }
  const target = federationPath(['federation', 'v1', 'hierarchy', roomId], query)
  const answer = await rt.remote.recent.get(`${server} ${target}`, rt.clock.now(), KEEP_MS, () =>
    rt.limits.lookUp(payer, () =>
      askServer(rt, server, { method: 'GET', target, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES }),
    ),
  )
  const room = objectMember(answer, 'room') ?? {}
  const summary = summaryIn(room)
  if (summary?.room_id !== roomId) throw new RemoteError('malformed', `${server} sent another room`)
  return {
    summary,
    children: inOrder(objectsIn(room, 'children_state').flatMap((event) => spaceChildOf(event) ?? [])),
    known: objectsIn(answer, 'children').flatMap((child) => summaryIn(child) ?? []),
    inaccessible: listIn(answer, 'inaccessible_children').filter(isRoomId),
  }
}

function objectsIn(object: JsonObject, key: string): JsonObject[] {
  return listIn(object, key).filter(isObject)
}

function listIn(object: JsonObject, key: string): readonly Json[] {
  const list = member(object, key)
  return Array.isArray(list) ? (list as readonly Json[]).slice(0, MAX_CHILDREN) : []
}
