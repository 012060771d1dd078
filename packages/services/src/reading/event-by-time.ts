// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { eventById, eventsById, timeline } from '@myelin/storage/rooms/events/events'
import { BEGINNING } from '@myelin/storage/rooms/events/history-positions'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { RemoteError } from '@myelin/remote/remote-error'
import { residentServers } from '../room-state/resident-servers.ts'
import { askEventByTime } from '../peers/event-by-time.ts'
import type { TimedEvent, TimeSearch } from '../peers/event-by-time.ts'
import { backfillGap, timelineGaps } from '../rooms/intake/backfill.ts'
import type { Checker } from '../rooms/intake/check-incoming.ts'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { nearestEvent } from './nearest-event.ts'
import { roomAccess } from './room-access.ts'
import type { RoomAccess } from './room-access.ts'
import { visibleTo } from './visible.ts'

type Needs = Checker & Pick<Runtime, 'limits'>

/** A gap in the stored timeline, between two positions. */
interface Gap {
  readonly after: number
  readonly upTo: number
}

const MAX_ASKED = 3
/** Pages of history fetched for one request; the next request continues. */
const MAX_PAGES = 10
const PATIENCE_MS = 20_000

/**
 * Returns the event nearest to a time that the requester may see. If it is beside a gap, or there is none, other servers
 * in the room are queried for a nearer one. The history in between is fetched up to a limit, so that the client can page.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidtimestamp_to_event
 */
export async function readEventByTime(rt: Needs, requester: Requester, search: TimeSearch): Promise<TimedEvent> {
  const db = rt.db.read
  const access = await roomAccess(db, requester.userId, search.roomId)
  const own = await ownNearest(db, requester, search, access)
  const gap = access.isJoined ? await gapBeside(db, own, search) : undefined
  const mayBeNearer = access.isJoined && (!own || gap !== undefined)
  const remote = mayBeNearer ? await nearestOfOthers(rt, requester.userId, search) : undefined
  if (!remote || (own && !isNearer(remote, timedOf(own), search))) return found(own, search)
  if (gap) await fetchUpTo(rt, search.roomId, gap, remote.eventId)
  // Fetched events are checked again: they may be hidden from the requester, of another time, or rejected.
  const hasCome = (await eventById(db, remote.eventId)) !== undefined
  const ours = gap ? await ownNearest(db, requester, search, access) : own
  return hasCome || (ours && !isNearer(remote, timedOf(ours), search)) ? found(ours, search) : remote
}

function found(event: StoredEvent | undefined, { direction }: TimeSearch): TimedEvent {
  if (!event) throw new MatrixError('M_NOT_FOUND', `there is no event ${direction} of that time`)
  return timedOf(event)
}

function timedOf({ pdu }: StoredEvent): TimedEvent {
  return { eventId: pdu.id, ts: pdu.originServerTs }
}

function ownNearest(
  db: Read,
  { userId }: Requester,
  search: TimeSearch,
  access: Pick<RoomAccess, 'upTo'>,
): Promise<StoredEvent | undefined> {
  return nearestEvent(db, search, async (events) => {
    const readable = events.filter(({ position }) => (position ?? 0) <= access.upTo)
    const [seen] = await visibleTo(db, userId, search.roomId, readable)
    return seen
  })
}

function isNearer(one: TimedEvent, other: TimedEvent, { ts }: TimeSearch): boolean {
  return Math.abs(one.ts - ts) < Math.abs(other.ts - ts)
}

/** Returns the gap between the found event and the time: before the later of the two events around the time. */
async function gapBeside(
  db: Read,
  own: StoredEvent | undefined,
  { roomId, direction }: TimeSearch,
): Promise<Gap | undefined> {
  if (direction === 'forward' && !own) return undefined
  const at = own?.position ?? BEGINNING
  const next = { roomId, direction, after: BEGINNING, before: Number.MAX_SAFE_INTEGER, limit: 1 } as const
  const [neighbor] = await timeline(
    db,
    direction === 'forward'
      ? { ...next, direction: 'backward', before: at }
      : { ...next, direction: 'forward', after: at },
  )
  const [earlier, later] = direction === 'forward' ? [neighbor, own] : [own, neighbor]
  if (!later) return undefined
  const before = [...new Set(later.pdu.prevEvents)]
  const known = (await eventsById(db, before)).filter(({ position }) => position !== null)
  if (known.length === before.length) return undefined
  return { after: earlier?.position ?? BEGINNING, upTo: later.position ?? 0 }
}

/** Fetches history into a gap until an event is found or the limit of pages is reached. */
async function fetchUpTo(rt: Needs, roomId: RoomId, gap: Gap, wanted: EventId): Promise<void> {
  const deadline = rt.clock.now() + PATIENCE_MS
  for (let page = 0; page < MAX_PAGES && rt.clock.now() <= deadline; page++) {
    const [newest] = await timelineGaps(rt, roomId, gap.after, gap.upTo)
    if (!newest || (await backfillGap(rt, roomId, newest)) === 0) return
    const come = await eventById(rt.db.read, wanted)
    if (typeof come?.position === 'number') return
  }
}

async function nearestOfOthers(rt: Needs, userId: UserId, search: TimeSearch): Promise<TimedEvent | undefined> {
  const servers = (await residentServers(rt, search.roomId)).filter((server) => server !== rt.serverName)
  for (const server of servers.slice(0, MAX_ASKED)) {
    try {
      return await rt.limits.lookUp(userId, () => askEventByTime(rt, server, search))
    } catch (cause) {
      if (!(cause instanceof RemoteError)) throw cause
      rt.remote.reportFailure(server, cause)
    }
  }
  return undefined
}
