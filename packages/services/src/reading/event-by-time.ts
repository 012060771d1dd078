// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { Read } from '@myelin/storage/database'
import { eventsById, timeline } from '@myelin/storage/events'
import type { StoredEvent } from '@myelin/storage/stored-event'
import { RemoteError } from '@myelin/remote/remote-error'
import { residentServers } from '../directory/resident-servers.ts'
import type { Asker } from '../federation/ask/ask-server.ts'
import { askEventByTime } from '../federation/ask/event-by-time.ts'
import type { TimedEvent, TimeSearch } from '../federation/ask/event-by-time.ts'
import type { Requester, Runtime } from '../runtime.ts'
import { nearestEvent } from './nearest-event.ts'
import { roomAccess } from './room-access.ts'
import { visibleTo } from './visible.ts'

type Needs = Pick<Runtime, 'db'> & Asker

const MOST_ASKED = 3

/**
 * The event nearest to a time that the requester may see. Where ours stands beside a gap, or there is none, servers in
 * the room are asked whether they know of one that is nearer.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidtimestamp_to_event
 */
export async function readEventByTime(rt: Needs, requester: Requester, search: TimeSearch): Promise<TimedEvent> {
  const db = rt.db.read
  const access = await roomAccess(db, requester.userId, search.roomId)
  const own = await nearestEvent(db, search, async (events) => {
    const readable = events.filter(({ position }) => (position ?? 0) <= access.upTo)
    const [seen] = await visibleTo(db, requester.userId, search.roomId, readable)
    return seen
  })
  const found = own && { eventId: own.pdu.id, ts: own.pdu.originServerTs }
  const mayBeNearer = access.isJoined && (!own || (await isBesideGap(db, own, search)))
  const told = mayBeNearer ? await toldByOthers(rt, search) : undefined
  const nearest = told && (!found || isNearer(told, found, search)) ? told : found
  if (!nearest) throw new MatrixError('M_NOT_FOUND', `there is no event ${search.direction} of that time`)
  return nearest
}

function isNearer(one: TimedEvent, other: TimedEvent, { ts }: TimeSearch): boolean {
  return Math.abs(one.ts - ts) < Math.abs(other.ts - ts)
}

/** Whether events are missing between this one and the time: the later of the two that frame the time tells. */
async function isBesideGap(db: Read, event: StoredEvent, { roomId, direction }: TimeSearch): Promise<boolean> {
  const bounds = { after: event.position ?? 0, before: Number.MAX_SAFE_INTEGER }
  const [later] =
    direction === 'forward' ? [event] : await timeline(db, { roomId, direction: 'forward', ...bounds, limit: 1 })
  if (!later) return false
  const before = [...new Set(later.pdu.prevEvents)]
  const known = (await eventsById(db, before)).filter(({ position }) => position !== null)
  return known.length < before.length
}

async function toldByOthers(rt: Needs, search: TimeSearch): Promise<TimedEvent | undefined> {
  const servers = (await residentServers(rt, search.roomId)).filter((server) => server !== rt.serverName)
  for (const server of servers.slice(0, MOST_ASKED)) {
    try {
      return await askEventByTime(rt, server, search)
    } catch (cause) {
      if (!(cause instanceof RemoteError)) throw cause
    }
  }
  return undefined
}
