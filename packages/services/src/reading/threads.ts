// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import type { RoomId } from '@myelin/matrix/ids'
import { redactPdu } from '@myelin/rules/redaction'
import type { Read } from '@myelin/storage/engine/database'
import { eventsById } from '@myelin/storage/rooms/events/events'
import { justAfter, justBefore } from '@myelin/storage/rooms/events/history-positions'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { threadsBefore } from '@myelin/storage/sync/threads'
import type { ThreadPlace } from '@myelin/storage/sync/threads'
import { ignoredUsers } from '../standing/ignored-users.ts'
import { roomVersionOf } from '../room-state/versions.ts'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { parseToken, printPosition } from '../room-state/page-token.ts'
import { renderEvents } from './render.ts'
import { roomAccess } from './room-access.ts'
import type { RoomAccess } from './room-access.ts'
import { visibleTo } from './visible.ts'

/** A page of a room's threads: all of them, or those the requester participated in. */
export interface ThreadsRequest {
  readonly roomId: RoomId
  readonly isMine: boolean
  readonly from?: string | undefined
  readonly limit: number
}

/** A page of thread roots. */
export interface ThreadsPage {
  readonly chunk: readonly RawJson[]
  readonly next_batch?: string
}

const MAX_LIMIT = 100
// Rounds to fill a page when thread roots are hidden.
const MAX_ROUNDS = 10

/**
 * Returns the roots of a room's threads that the requester may see, the one with the latest event first.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidthreads
 */
export async function readThreads(
  rt: Pick<Runtime, 'db' | 'clock'>,
  requester: Requester,
  request: ThreadsRequest,
): Promise<ThreadsPage> {
  const db = rt.db.read
  const access = await roomAccess(db, requester.userId, request.roomId)
  const reader = { userId: requester.userId, ignored: await ignoredUsers(db, requester.userId) }
  const limit = Math.min(request.limit, MAX_LIMIT)
  const { roomId, isMine } = request
  const from = request.from === undefined ? access.upTo : Math.min(parseToken(request.from).position, access.upTo)
  let before = justAfter(from)
  const roots: StoredEvent[] = []
  let hasMore = true
  for (let round = 0; round < MAX_ROUNDS && hasMore && roots.length < limit; round++) {
    const places = await threadsBefore(db, reader, {
      roomId,
      isMine,
      before,
      upTo: access.upTo,
      limit: limit - roots.length + 1,
    })
    hasMore = places.length > limit - roots.length
    const page = hasMore ? places.slice(0, -1) : places
    roots.push(...(await rootsAt(db, requester, access, page)))
    before = page.at(-1)?.latest ?? before
  }
  const shown = roots.map((root) => (reader.ignored.has(root.pdu.sender) ? emptied(root, access) : root))
  const view = { requester, now: rt.clock.now(), format: { hasRoomId: true }, bundles: true }
  return {
    chunk: await renderEvents(db, shown, view),
    // The next page starts before the last thread of this one.
    ...(hasMore ? { next_batch: printPosition(justBefore(before)) } : {}),
  }
}

async function rootsAt(
  db: Read,
  requester: Requester,
  { roomId, upTo }: RoomAccess,
  places: readonly ThreadPlace[],
): Promise<StoredEvent[]> {
  const events = await eventsById(
    db,
    places.map(({ root }) => root),
  )
  const here = events.filter(({ pdu, position }) => pdu.roomId === roomId && position !== null && position <= upTo)
  const seen = await visibleTo(db, requester.userId, roomId, here)
  const byId = new Map(seen.map((event) => [event.pdu.id, event]))
  return places.flatMap(({ root }) => byId.get(root) ?? [])
}

/** Returns a thread root of an ignored user, without its content. */
function emptied(root: StoredEvent, { roomVersion }: RoomAccess): StoredEvent {
  const pdu = redactPdu(root.pdu, roomVersionOf(roomVersion))
  return { ...root, pdu, kept: { pdu } }
}
